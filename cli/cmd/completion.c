// SPDX-License-Identifier: GPL-2.0-only
/* completion: for bash, made from the list of commands. */
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "base/words.h"

/* How bash finds what can stand for an argument; "" if nothing helps. */
static void complete_value(const struct argdef *def, char *buf, size_t size)
{
	const struct words *words = def->words ? def->words : def->type->words;

	if (words)
		word_names(words, " ", buf, size);
	else
		snprintf(buf, size, "%s", def->type->complete ? def->type->complete : "");
}

/* "add\ queue": the name as a pattern of the shell. */
static void complete_name(const struct command *cmd, char *buf, size_t size)
{
	const char *space = strchr(cmd->name, ' ');

	if (space)
		snprintf(buf, size, "%.*s\\ %s", (int)(space - cmd->name), cmd->name, space + 1);
	else
		snprintf(buf, size, "%s", cmd->name);
}

/* After an option with a value: the values. */
static void complete_values(const struct command *cmd)
{
	char words[256], name[32];

	complete_name(cmd, name, sizeof(name));
	for (const struct argdef *def = cmd->args; def->name; def++) {
		complete_value(def, words, sizeof(words));
		if (arg_is_option(def) && !arg_is_flag(def))
			printf("\t%s\\ %s) words=\"%s\";;\n", name, def->name, words);
	}
}

/* Elsewhere: the options, and whatever can stand by itself. */
static void complete_command(const struct command *cmd)
{
	char words[256], name[32];

	complete_name(cmd, name, sizeof(name));
	printf("\t%s\\ *) words=\"", name);
	for (const struct argdef *def = cmd->args; def->name; def++) {
		complete_value(def, words, sizeof(words));
		printf("%s ", arg_is_option(def) ? def->name : words);
	}
	printf("--help\";;\n");
}

/* A file that is the value of an option follows that; others stand anywhere. */
static void complete_file(const struct command *cmd)
{
	for (const struct argdef *def = cmd->args; def->name; def++)
		if (def->type && def->type->compgen)
			printf("\t%s\\ %s) mapfile -t COMPREPLY < <(compgen -%c -- \"$cur\");;\n",
			       cmd->name, arg_is_option(def) ? def->name : "*", def->type->compgen);
}

/* Two words make another command than the first alone. */
static void complete_longer(const struct command *cmd)
{
	char name[32];

	complete_name(cmd, name, sizeof(name));
	if (strchr(cmd->name, ' '))
		printf("\t%s) cmd='%s';;\n", name, cmd->name);
}

static void complete_all(void)
{
	char mechs[256];

	printf("# bash completion for bhctl; made by 'bhctl completion bash'\n"
	       "_bhctl_items() { [ -z \"$BHLAB_FD\" ] || bhctl -p list 2>/dev/null | cut -f2; }\n\n"
	       "_bhctl() {\n"
	       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd='' "
	       "words i\n"
	       "\tlocal commands='");
	for (const struct command *const *cmd = commands_all(); *cmd; cmd++)
		if (!strchr((*cmd)->name, ' '))
			printf("%s ", (*cmd)->name);
	word_names(&mech_words, " ", mechs, sizeof(mechs));
	printf("'\n\tlocal mechanisms='%s' topics='", mechs);
	for (const struct topic *const *topic = topics_all(); *topic; topic++)
		printf("%s ", (*topic)->name);
	printf("'\n"
	       "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	       "\t\tcase ${COMP_WORDS[i]} in\n"
	       "\t\t-d|--device|--fd) ((i++));;\n"
	       "\t\t-*) ;;\n"
	       "\t\t*) cmd=${COMP_WORDS[i]}; break;;\n"
	       "\t\tesac\n"
	       "\tdone\n"
	       "\t((i + 1 < COMP_CWORD)) && case $cmd\\ ${COMP_WORDS[i + 1]} in\n");
	for (const struct command *const *cmd = commands_all(); *cmd; cmd++)
		complete_longer(*cmd);
	printf("\tesac\n"
	       "\tcase $cmd\\ $prev in\n");
	for (const struct command *const *cmd = commands_all(); *cmd; cmd++) {
		complete_values(*cmd);
		complete_command(*cmd);
	}
	printf("\t*) words=\"$commands --device --fd --json --parsable --quiet --color= "
	       "--version --help\";;\n"
	       "\tesac\n"
	       "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
	       "\t[[ $cur == -* ]] || case $cmd\\ $prev in\n");
	for (const struct command *const *cmd = commands_all(); *cmd; cmd++)
		complete_file(*cmd);
	printf("\tesac\n}\n\ncomplete -F _bhctl bhctl\n");
}

static int run_completion(const struct call *call, struct lab *lab, struct result *result)
{
	complete_all();
	return 0;
}

static int parse_shell(const char *text, struct value *value, struct error *e)
{
	return strcmp(text, "bash") ? usage(e, "unknown shell '%s'; there is bash", text) : 0;
}

static const struct arg_type arg_shell = {
	.meta = "SHELL",
	.parse = parse_shell,
	.complete = "bash",
};

const struct command command_completion = {
	.name = "completion",
	.summary = "print completions for a shell (bash)",
	.args = ARGS(
		{ "SHELL", &arg_shell }),
	.lab = LAB_NONE,
	.run = run_completion,
};
