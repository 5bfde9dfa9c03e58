// SPDX-License-Identifier: GPL-2.0-only
/* completion: for bash, made from the list of commands. */
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "base/words.h"

static bool is_option(const struct argdef *def)
{
	return def->name[0] == '-';
}

/* How bash finds what can stand for an argument; "" if nothing helps. */
static void complete_type(enum arg_type type, char *buf, size_t size)
{
	buf[0] = '\0';
	if (type == ARG_ITEM)
		snprintf(buf, size, "$(_bhctl_items)");
	else if (type == ARG_MECH)
		snprintf(buf, size, "$(bhctl -p mechanisms 2>/dev/null | cut -f1) queue lock fifo");
	else if (type == ARG_MECHS)
		snprintf(buf, size, "$(bhctl -p mechanisms 2>/dev/null | cut -f1) bh_work all");
	else if (type == ARG_OBJECT)
		snprintf(buf, size, "queue lock fifo");
	else if (type == ARG_QUEUE)
		word_names(&queue_words, " ", buf, size);
	else if (type == ARG_LOCK_CONTEXT)
		word_names(&lock_context_words, " ", buf, size);
	else if (type == ARG_CONDITION)
		word_names(&condition_words, " ", buf, size);
	else if (type == ARG_KIND)
		word_names(&kind_words, " ", buf, size);
	else if (type == ARG_FROM)
		word_names(&from_words, " ", buf, size);
	else if (type == ARG_SHELL)
		snprintf(buf, size, "bash");
	else if (type == ARG_COMMAND)
		snprintf(buf, size, "$commands");
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
		complete_type(def->type, words, sizeof(words));
		if (is_option(def) && def->type != ARG_FLAG)
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
		complete_type(def->type, words, sizeof(words));
		printf("%s ", is_option(def) ? def->name : words);
	}
	printf("--help\";;\n");
}

/* A file that is the value of an option follows that; others stand anywhere. */
static void complete_file(const struct command *cmd)
{
	for (const struct argdef *def = cmd->args; def->name; def++)
		if (def->type == ARG_FILE || def->type == ARG_REST || def->type == ARG_PATHS)
			printf("\t%s\\ %s) mapfile -t COMPREPLY < <(compgen -%c -- \"$cur\");;\n", cmd->name,
			       is_option(def) ? def->name : "*", def->type == ARG_REST ? 'c' : 'f');
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
	printf("# bash completion for bhctl; made by 'bhctl completion bash'\n"
	       "_bhctl_items() { [ -z \"$BHLAB_FD\" ] || bhctl -p list 2>/dev/null | cut -f2; }\n\n"
	       "_bhctl() {\n"
	       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd='' words i\n"
	       "\tlocal commands='");
	for (const struct command *const *cmd = commands_all(); *cmd; cmd++)
		if (!strchr((*cmd)->name, ' '))
			printf("%s ", (*cmd)->name);
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
	printf("\t*) words=\"$commands --device --fd --json --parsable --quiet --color= --version --help\";;\n"
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

const struct command command_completion = {
	.name = "completion",
	.summary = "print completions for a shell (bash)",
	.args = ARGS(
		{ "SHELL", ARG_SHELL, 0, false, NULL }),
	.lab = LAB_NONE,
	.run = run_completion,
};
