// SPDX-License-Identifier: GPL-2.0-only
/* Commands in a scenario: who issues them, and what they must answer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "command/command.h"
#include "scenario/scenario.h"
#include "lab/steps.h"
#include "base/words.h"

/* --- words */

const char *phrase_at(const struct phrase *phrase, int i)
{
	return i < phrase->line->argc ? phrase->start + phrase->line->at[i] :
					phrase->start + strlen(phrase->start);
}

/* Of a '$' that is left. */
#define NO_VALUE "; in a command $N is the number of a 'repeat ... as N' around it"

int phrase_split(struct phrase *phrase)
{
	struct error e = { 0 };

	if (line_split(phrase->line, phrase->start, &e))
		return wrong(phrase->reader, phrase->start + phrase->line->bad, "%s%s", e.text,
			     strchr(e.text, '$') ? NO_VALUE : "");
	return 0;
}

/* Takes the first @nr words away. */
static void drop(struct line *line, int nr)
{
	line->argc -= nr;
	memmove(line->argv, line->argv + nr, (line->argc + 1) * sizeof(*line->argv));
	memmove(line->at, line->at + nr, line->argc * sizeof(*line->at));
}

/* A message quotes what it is about; that is looked for in the line. */
static const char *find_quoted(const struct phrase *phrase, const char *message)
{
	const char *open = strchr(message, '\''), *close = open ? strchr(open + 1, '\'') : NULL;
	char text[128];
	const char *found;

	if (!close)
		return phrase_at(phrase, 0);
	snprintf(text, sizeof(text), "%.*s", (int)(close - open - 1), open + 1);
	for (int i = 0; i < phrase->line->argc; i++)
		if (!strcmp(phrase->line->argv[i], text)) {
			found = phrase_at(phrase, i);
			return found + (*found == '\'' || *found == '"');
		}
	found = strstr(phrase_at(phrase, 0), text);
	return found ? found : phrase_at(phrase, 0);
}

/* --- commands */

static bool name_in(const char *name, const char *const *names)
{
	while (*names && strcmp(*names, name))
		names++;
	return *names;
}

static bool is_statement(const char *name)
{
	static const char *const names[] = { "end", "expect", "let", "repeat", "settle", NULL };

	return name_in(name, names);
}

/* Where a name stands by itself behind the command's own words, or where these begin. */
static const char *find_name(const struct phrase *phrase, const char *name)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789.-";
	const char *start = phrase_at(phrase, 1), *p = start;

	while ((p = strstr(p, name))) {
		size_t len = strspn(p, letters);

		if (len == strlen(name) && (p == start || !strchr(letters, p[-1])))
			return p;
		p += len ? len : 1;
	}
	return phrase_at(phrase, 0);
}

/* It may be made further down. */
static void note_targets(const struct phrase *phrase, const struct program *program)
{
	for (size_t i = 0; program && i < program->nr; i++) {
		const char *target = program->steps[i].target;

		if (*target && *target != '#')
			list_add(&phrase->reader->scenario->targets,
				 spot_new(phrase->reader, find_name(phrase, target), target,
					  strlen(target)));
	}
}

static int check_object(const struct phrase *phrase, const struct argdef *def,
			const struct value *value)
{
	struct reader *reader = phrase->reader;

	if (!value->given || value->number || (def->type != &arg_item && def->type != &arg_queue))
		return 0;
	if (phrase->unknown || is_made(reader->scenario, value->text))
		return 0;
	return wrong(reader, find_name(phrase, value->text), "no add above makes '%s'%s",
		     value->text, added_hint(reader, value->text));
}

static void note_text(struct list *list, const struct phrase *phrase, const char *text)
{
	list_add(list, pool_text(&phrase->reader->scenario->pool, text, strlen(text)));
}

static int note_names(const struct phrase *phrase, const struct call *call)
{
	struct scenario *scenario = phrase->reader->scenario;
	int err = 0;

	for (size_t i = 0; call->cmd->args[i].name; i++) {
		note_targets(phrase, call->values[i].program);
		err |= check_object(phrase, &call->cmd->args[i], &call->values[i]);
	}
	if (!strncmp(call->cmd->name, "add", 3))
		note_text(&scenario->added, phrase, arg_typed(call, "NAME"));
	if (!strcmp(call->cmd->name, "exec"))
		note_text(&scenario->programs, phrase, phrase_at(phrase, 0));
	return err;
}

/* It is parsed again each time it runs: a call is good for once. */
static int check_command(const struct phrase *phrase, int argc, const struct command **cmd)
{
	char **argv = xrealloc(NULL, argc + 1, sizeof(*argv));
	struct error e = { 0 };
	struct call call;
	int err;

	memcpy(argv, phrase->line->argv, argc * sizeof(*argv));
	argv[argc] = NULL;
	err = phrase->refusal ? call_parse_any(&call, argc, argv, &e) :
				call_parse(&call, argc, argv, &e);
	if (err) {
		wrong(phrase->reader, find_quoted(phrase, e.text), "%s%s", e.text,
		      strchr(e.text, '$') ? NO_VALUE : "");
		/* It is not to be missing to the lines below. */
		if (!strcmp(argv[0], "add") && argc > 2)
			note_text(&phrase->reader->scenario->added, phrase, phrase->line->argv[2]);
	} else if (call.help || !call.cmd->in_scenario) {
		err = wrong(phrase->reader, phrase_at(phrase, 0),
			    "'%s' is not for scenarios: nobody reads here what it prints; "
			    "expressions have what was recorded", argv[0]);
	} else {
		err = note_names(phrase, &call);
		*cmd = call.cmd;
	}
	call_free(&call);
	free(argv);
	return err;
}

/* --- who issues it */

static int take_cpu(const struct phrase *phrase, struct action *action)
{
	struct error e = { 0 };
	uint64_t cpu;

	action->cpu = CPU_ANY;
	if (!strcmp(phrase->line->argv[1], "any"))
		return 0;
	if (parse_number(phrase->line->argv[1], INT32_MAX, &cpu, &e))
		return wrong(phrase->reader, phrase_at(phrase, 1), "%s", e.text);
	action->cpu = (int)cpu;
	return 0;
}

static int take_child(const struct phrase *phrase, struct action *action)
{
	struct scenario *scenario = phrase->reader->scenario;
	struct error e = { 0 };

	if (parse_name(phrase->line->argv[1], &e))
		return wrong(phrase->reader, phrase_at(phrase, 1), "%s", e.text);
	action->async =
		pool_text(&scenario->pool, phrase->line->argv[1], strlen(phrase->line->argv[1]));
	list_add(&scenario->children, (void *)action->async);
	return 0;
}

/* async NAME, as USER, on CPU; 1 when there is none (more). */
static int take_prefix(const struct phrase *phrase, struct action *action)
{
	struct line *line = phrase->line;
	const char *word = line->argc ? line->argv[0] : "";
	bool async = !strcmp(word, "async"), as = !strcmp(word, "as"), on = !strcmp(word, "on");

	if (!async && !as && !on)
		return 1;
	if (line->argc < 2)
		return wrong(phrase->reader, phrase_at(phrase, 1), "'%s' of what?", word);
	if (on && take_cpu(phrase, action))
		return -1;
	if (async && take_child(phrase, action))
		return -1;
	if (as)
		action->user = pool_text(&phrase->reader->scenario->pool, line->argv[1],
					 strlen(line->argv[1]));
	drop(line, 2);
	return 0;
}

static int take_join(const struct phrase *phrase, struct action *action, int argc)
{
	const struct list *children = &phrase->reader->scenario->children;

	if (action->async || action->user || action->cpu != CPU_SAME)
		return wrong(phrase->reader, phrase_at(phrase, 0), "'join' is not a command");
	if (argc != 2)
		return wrong(phrase->reader, phrase_at(phrase, argc < 2 ? 1 : 2),
			     "this is not join NAME");
	for (size_t i = 0; i < children->nr; i++)
		if (!strcmp(children->at[i], phrase->line->argv[1]))
			action->join = children->at[i];
	return action->join ? 0 :
			      wrong(phrase->reader, phrase_at(phrase, 1),
				    "no async above is called '%s'", phrase->line->argv[1]);
}

/* All words are split; the first @argc, less what the prefixes take, are the command. */
int phrase_action(const struct phrase *phrase, struct action *action, int argc,
		  const struct command **cmd)
{
	int old = phrase->line->argc, err;
	size_t len = phrase_at(phrase, argc) - phrase_at(phrase, 0);

	while (len && strchr(" \t\r", phrase_at(phrase, 0)[len - 1]))
		len--;
	action->text = pool_text(&phrase->reader->scenario->pool, phrase_at(phrase, 0), len);
	action->any = phrase->refusal;
	*cmd = NULL;
	while (!(err = take_prefix(phrase, action)))
		;
	argc -= old - phrase->line->argc;
	if (err < 0)
		return err;
	if (argc < 1)
		return wrong(phrase->reader, phrase_at(phrase, 0), "a command is missing here");
	if (!strcmp(phrase->line->argv[0], "join"))
		return take_join(phrase, action, argc);
	if (is_statement(phrase->line->argv[0]))
		return wrong(phrase->reader, phrase_at(phrase, 0), "'%s' cannot stand here",
			     phrase->line->argv[0]);
	return check_command(phrase, argc, cmd);
}

/* --- what it must answer */

static bool is_answer(const struct command *cmd, const char *word)
{
	uint32_t value;

	if (!cmd)	/* of a child, which may be any */
		return word_value(&result_words, word, &value) ||
		       word_value(&condition_words, word, &value) || !strcmp(word, "added") ||
		       !strcmp(word, "deleted") || !strcmp(word, "exit");
	if (cmd->answers)
		return word_value(cmd->answers, word, &value);
	return cmd->answer && !strcmp(word, cmd->answer);
}

int phrase_number(const struct phrase *phrase, int i, uint64_t *number)
{
	struct error e = { 0 };

	if (i >= phrase->line->argc)
		return wrong(phrase->reader, phrase_at(phrase, i), "a number is missing here");
	if (parse_number(phrase->line->argv[i], UINT32_MAX, number, &e))
		return wrong(phrase->reader, phrase_at(phrase, i), "%s", e.text);
	return 0;
}

/* At word @*i; moves it on. */
static int take_qualifier(const struct phrase *phrase, int *i, struct qualifier *q)
{
	static const char *const plain[] = { "waited", "emulated", NULL };
	char **argv = phrase->line->argv;

	if (!strcmp(argv[*i], "not") && *i + 1 < phrase->line->argc) {
		q->not = true;
		(*i)++;
	}
	q->name = pool_text(&phrase->reader->scenario->pool, argv[*i], strlen(argv[*i]));
	if (name_in(q->name, plain)) {
		(*i)++;
		return 0;
	}
	if (!q->not && !strcmp(q->name, "depth")) {
		*i += 2;
		return phrase_number(phrase, *i - 1, &q->numbers[0]);
	}
	if (!q->not && *i + 1 < phrase->line->argc && !strcmp(argv[*i + 1], "of")) {
		q->name = "of";
		*i += 3;
		return phrase_number(phrase, *i - 3, &q->numbers[0]) ||
		       phrase_number(phrase, *i - 1, &q->numbers[1]);
	}
	return wrong(phrase->reader, phrase_at(phrase, *i), "unknown word '%s'", argv[*i]);
}

/* "; did you mean 'queued'?" */
static const char *answer_hint(struct reader *reader, const struct command *cmd, const char *word)
{
	struct near near = near_to(word, strlen(word));

	if (!cmd || cmd->answers)
		near_try_words(&near, cmd ? cmd->answers : &result_words);
	if (cmd && cmd->answer)
		near_try(&near, cmd->answer);
	return pool_printf(&reader->scenario->pool, "%s", near_hint(&near));
}

static int take_answer(const struct phrase *phrase, struct statement *s, int i,
		       const struct command *cmd)
{
	const char *word = i < phrase->line->argc ? phrase->line->argv[i] : "";

	if (!*word)
		return wrong(phrase->reader, phrase_at(phrase, i), "a word is missing after '='");
	if (!is_answer(cmd, word))
		return wrong(phrase->reader, phrase_at(phrase, i), "'%s' never answers '%s'%s",
			     cmd ? cmd->name : "join", word,
			     answer_hint(phrase->reader, cmd, word));
	s->word = pool_text(&phrase->reader->scenario->pool, word, strlen(word));
	if (!strcmp(word, "exit") && phrase_number(phrase, ++i, &s->number))
		return -1;
	for (i++; i < phrase->line->argc; s->nr_qualifiers++) {
		if (s->nr_qualifiers == QUALIFIERS_MAX)
			return wrong(phrase->reader, phrase_at(phrase, i), "this is too much");
		if (take_qualifier(phrase, &i, &s->qualifiers[s->nr_qualifiers]))
			return -1;
	}
	return 0;
}

static int take_errno(const struct phrase *phrase, struct statement *s, int i)
{
	struct near near;

	if (i >= phrase->line->argc)
		return wrong(phrase->reader, phrase_at(phrase, i), "an errno is missing here");
	near = near_to(phrase->line->argv[i], strlen(phrase->line->argv[i]));
	for (int err = 1; err < 134; err++) {
		const char *name = strerrorname_np(err);

		if (name && !strcmp(name, phrase->line->argv[i]))
			s->err = err;
		if (name)
			near_try(&near, name);
	}
	if (!s->err)
		return wrong(phrase->reader, phrase_at(phrase, i), "unknown errno '%s'%s",
			     phrase->line->argv[i], near_hint(&near));
	return i + 1 < phrase->line->argc ?
		       wrong(phrase->reader, phrase_at(phrase, i + 1), "one word too many") :
		       0;
}

int phrase_equals(const struct line *line)
{
	int i = line->argc;

	while (i-- && strcmp(line->argv[i], "="))
		;
	return i;
}

int parse_answer(struct reader *reader, struct statement *s, const char *p)
{
	struct phrase phrase = { reader, p, &s->action.words, s->kind == STATEMENT_REFUSAL, false };
	const struct command *cmd;
	int equals, argc;

	if (phrase_split(&phrase))
		return -1;
	equals = phrase_equals(phrase.line);
	if (equals < 0)
		return wrong(reader, phrase_at(&phrase, phrase.line->argc), "'= ERRNO' is missing");
	argc = phrase.line->argc;
	phrase.unknown = phrase.refusal && equals + 1 < argc &&
			 !strcmp(phrase.line->argv[equals + 1], "ENOENT");
	if (phrase_action(&phrase, &s->action, equals, &cmd))
		return -1;
	if (s->action.async)
		return wrong(reader, p, "an async answers only when it is joined");
	equals -= argc - phrase.line->argc;
	if (s->kind == STATEMENT_REFUSAL ? take_errno(&phrase, s, equals + 1) :
					   take_answer(&phrase, s, equals + 1, cmd))
		return -1;
	phrase.line->argc = equals;
	phrase.line->argv[equals] = NULL;
	return 0;
}
