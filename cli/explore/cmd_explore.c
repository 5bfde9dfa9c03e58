// SPDX-License-Identifier: GPL-2.0-only
/* explore: random labs, compared with a model of what the kernel does. */
#include <errno.h>
#include <inttypes.h>
#include <json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "command/command.h"
#include "explore/model.h"
#include "explore/work.h"
#include "lab/lab.h"
#include "base/out.h"
#include "base/parse.h"
#include "base/signals.h"
#include "base/words.h"

#define DURATION_NS	10000000000ULL
#define HANG_NS		60000000000ULL
#define THREADS		3
#define SIZE		4
#define JOBS		4
/* A plan that is played again is played so often, since threads meet by chance. */
#define REPLAYS		50
#define CAP_SYS_ADMIN	21

/* --- words */

static int parse_list(const char *text, uint32_t *bits, const char *what,
		      bool (*value)(const char *word, uint32_t *value), struct error *e)
{
	char *copy = xstrdup(text), *at = copy, *word;
	int err = 0;

	*bits = 0;
	while (!err && (word = strsep(&at, ","))) {
		uint32_t bit;

		if (value(word, &bit))
			*bits |= 1U << bit;
		else
			err = usage(e, "there is no %s '%s'", what, word);
	}
	free(copy);
	return err;
}

static bool mech_value(const char *word, uint32_t *value)
{
	return word_value(&mech_words, word, value);
}

static bool verb_value(const char *word, uint32_t *value)
{
	for (*value = 0; *value < V_MODEL; (*value)++)
		if (!strcmp(verb_name(*value), word))
			return true;
	return false;
}

/* SEED:RUN */
static int parse_replay(const char *text, uint64_t *seed, uint64_t *run, struct error *e)
{
	char *copy = xstrdup(text), *colon = strchr(copy, ':');
	int err = -1;

	if (!colon) {
		usage(e, "--replay: SEED:RUN, as explore has printed it");
	} else {
		*colon = '\0';
		err = parse_number(copy, UINT64_MAX, seed, e) ||
				      parse_number(colon + 1, UINT64_MAX, run, e) ? -1 : 0;
	}
	free(copy);
	return err;
}

static int check_explore(const struct call *call, struct error *e)
{
	uint64_t threads = arg_number(call, "--threads", THREADS);
	uint64_t size = arg_number(call, "--size", SIZE);
	uint64_t jobs = arg_number(call, "--jobs", JOBS);
	uint64_t seed, run;
	uint32_t bits;

	if (arg_given(call, "--runs") && arg_given(call, "--duration"))
		return usage(e, "--runs and --duration exclude each other");
	if (arg_given(call, "--replay") &&
	    (arg_given(call, "--seed") || arg_given(call, "--runs") ||
	     arg_given(call, "--duration")))
		return usage(e, "--replay plays one run; --seed, --runs and --duration do not fit");
	if (threads < 1 || threads > PLAN_THREADS)
		return usage(e, "--threads: 1 to %d", PLAN_THREADS);
	if (size < 1 || size > PLAN_CALLS)
		return usage(e, "--size: 1 to %d", PLAN_CALLS);
	if (jobs < 1 || jobs > JOBS_MAX)
		return usage(e, "--jobs: 1 to %d", JOBS_MAX);
	if (!arg_number(call, "--stop-at", 1))
		return usage(e, "--stop-at: at least 1");
	if (arg_given(call, "--replay") &&
	    parse_replay(arg_typed(call, "--replay"), &seed, &run, e))
		return -1;
	if (arg_given(call, "--mechanisms") &&
	    parse_list(arg_typed(call, "--mechanisms"), &bits, "mechanism", mech_value, e))
		return -1;
	if (arg_given(call, "--verbs") &&
	    parse_list(arg_typed(call, "--verbs"), &bits, "verb", verb_value, e))
		return -1;
	return 0;
}

/* --- the machine */

static bool may_administer(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long long caps = 0;
	char line[128];

	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	fclose(file);
	return caps & 1ULL << CAP_SYS_ADMIN;
}

static bool before_6_10(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname name;

	uname(&name);
	return sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major < 6 || (major == 6 && minor < 10));
}

static void know_machine(struct machine *machine, const struct bhlab_info *info)
{
	cpu_set_t cpus;

	machine->features = info->out_features;
	if (info->out_features & BHLAB_FEATURE_RT)
		machine->world |= WORLD_RT;
	if (info->out_features & BHLAB_FEATURE_THREADIRQS)
		machine->world |= WORLD_THREADIRQS;
	if (!may_administer())
		machine->world |= WORLD_MEMBER;
	if (before_6_10())
		machine->world |= WORLD_OLD;
	machine->atomic_ns = machine->world & WORLD_MEMBER ? info->out_atomic_ns :
							     info->out_atomic_cap_ns;
	sched_getaffinity(0, sizeof(cpus), &cpus);
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &cpus) && machine->nr_cpus < ARRAY_SIZE(machine->cpus))
			machine->cpus[machine->nr_cpus++] = cpu;
}

/* --- what was found */

struct findings {
	json_object *list;
	const char *directory;
};

/* Every call, in the order of their begin, with what it answered. */
static json_object *log_json(const struct play *play)
{
	json_object *lines = json_object_new_array();
	uint64_t first = play->nr_log ? play->log[0].begin : 0;

	for (unsigned int i = 0; i < play->nr_log; i++) {
		const struct log_entry *entry = &play->log[i];
		char call[80], answer[48], line[256];

		call_text(&entry->call, call, sizeof(call));
		answer_text(entry, answer, sizeof(answer));
		snprintf(line, sizeof(line), "%10.3fms %8.3fms  thread %u  %s = %s",
			 (double)(int64_t)(entry->begin - first) / 1e6,
			 (double)(entry->end - entry->begin) / 1e6, entry->thread, call, answer);
		json_object_array_add(lines, json_text(line));
	}
	return lines;
}

static void found(const struct plan *plan, const struct verdict *verdict,
		  const struct play *play, void *arg)
{
	struct findings *findings = arg;
	json_object *finding = json_object_new_object();
	char text[160], path[4096] = "";

	json_object_array_add(findings->list, finding);
	json_add_number(finding, "run", plan->run);
	plan_target_text(plan, text, sizeof(text));
	json_add_text(finding, "aim", text);
	json_add_text(finding, "kind", verdict->kind);
	json_add_text(finding, "text", verdict->text);
	snprintf(text, sizeof(text), "%" PRIu64 ":%" PRIu64, plan->seed, plan->run);
	json_add_text(finding, "replay", text);
	json_add(finding, "log", log_json(play));
	snprintf(path, sizeof(path), "%s/explore-%" PRIu64 "-%" PRIu64 ".bh",
		 findings->directory ? findings->directory : ".", plan->seed, plan->run);
	if (findings->directory && !write_scenario(plan, verdict, path))
		json_add_text(finding, "scenario", path);
}

static void count_seen(const struct behaviours *seen, json_object *doc)
{
	uint64_t answers = 0, pairs = 0;

	for (size_t i = 0; i < BEHAVIOURS_MAX; i++) {
		answers += !strncmp(seen->list[i].text, "answer\t", 7);
		pairs += !strncmp(seen->list[i].text, "pair\t", 5);
	}
	json_add_number(doc, "answers", answers);
	json_add_number(doc, "pairs", pairs);
}

static json_object *explore_doc(const struct campaign *c, const struct tally *tally,
				const struct behaviours *seen, json_object *failures)
{
	json_object *doc = json_object_new_object();

	json_add_number(doc, "seed", c->wanted.seed);
	json_add_number(doc, "runs", tally->runs);
	json_add_number(doc, "storms", tally->storms);
	json_add_number(doc, "calls", tally->calls);
	json_add_number(doc, "refused", tally->refused);
	json_add_number(doc, "gave_up", tally->gave_up);
	json_add_number(doc, "aims", plan_targets(&c->wanted, &c->machine));
	count_seen(seen, doc);
	json_object_object_add(doc, "failures", failures);
	return doc;
}

static void print_explore(const struct result *result)
{
	static const struct field lines[] = {
		{ "seed", "/seed" },
		{ "runs", "/runs" },
		{ "  of them storms", "/storms" },
		{ "  not set up", "/refused" },
		{ "  too many orders", "/gave_up" },
		{ "calls", "/calls" },
		{ "states with two verbs", "/aims" },
		{ "  met in time", "/pairs" },
		{ "answers in a state", "/answers" },
	};
	json_object *failures;

	if (!result->doc)
		return;
	out_list(lines, ARRAY_SIZE(lines), result->doc);
	failures = json_at(result->doc, "/failures");
	for (size_t i = 0; i < json_object_array_length(failures); i++) {
		json_object *f = json_object_array_get_idx(failures, i), *scenario;
		json_object *log = json_at(f, "/log");

		printf("\n%s\n  %s\n  again: bhctl explore --replay %s\n",
		       json_string(f, "/aim"),
		       json_string(f, "/text"),
		       json_string(f, "/replay"));
		if (json_object_object_get_ex(f, "scenario", &scenario))
			printf("  smaller: %s\n", json_object_get_string(scenario));
		for (size_t k = 0; k < json_object_array_length(log); k++)
			printf("%s\n", json_object_get_string(json_object_array_get_idx(log, k)));
	}
}

/* --- the command */

static int set_up(const struct call *call, struct campaign *c, struct error *e)
{
	struct lab lab = { .fd = -1 };

	c->wanted = (struct wanted){
		.seed = arg_number(call, "--seed", monotonic_ns() % 1000000),
		.mechanisms = UINT32_MAX,
		.verbs = UINT32_MAX,
		.threads = arg_number(call, "--threads", THREADS),
		.size = arg_number(call, "--size", SIZE),
	};
	c->runs = arg_number(call, "--runs", 0);
	c->duration_ns = arg_number(call, "--duration", DURATION_NS);
	c->hang_ns = HANG_NS;
	c->jobs = arg_number(call, "--jobs", JOBS);
	c->stop_at = arg_number(call, "--stop-at", 1);
	if (arg_given(call, "--mechanisms"))
		parse_list(arg_typed(call, "--mechanisms"), &c->wanted.mechanisms, "", mech_value,
			   e);
	if (arg_given(call, "--verbs"))
		parse_list(arg_typed(call, "--verbs"), &c->wanted.verbs, "", verb_value, e);
	if (arg_given(call, "--replay")) {
		parse_replay(arg_typed(call, "--replay"), &c->wanted.seed, &c->first_run, e);
		c->runs = 1;
		c->jobs = 1;
	}
	if (lab_open_new(&lab, e))
		return -1;
	know_machine(&c->machine, &lab.info);
	c->wanted.mechanisms &= (2U << lab.info.out_mechs) - 2;
	lab_close(&lab);
	model_read();
	for (uint32_t mech = 0; mech < 32; mech++)
		if (c->wanted.mechanisms & 1U << mech && !model_chapter(mech))
			c->wanted.mechanisms &= ~(1U << mech);
	if (!plan_targets(&c->wanted, &c->machine))
		return fail(e, STATUS_USAGE, 0, "these mechanisms have none of these verbs");
	return 0;
}

static int run_campaign(const struct call *call, struct campaign *c, struct behaviours *seen,
			struct result *result)
{
	struct findings findings = { .list = json_object_new_array(),
				     .directory = arg_given(call, "--output") ?
							  arg_typed(call, "--output") : NULL };
	struct tally tally = { 0 };
	unsigned int differences = 0;
	int err = 0;

	c->found = found;
	c->arg = &findings;
	for (unsigned int n = 0; n < (arg_given(call, "--replay") ? REPLAYS : 1); n++)
		if (!tally.failures && !tally.err && !signals_caught())
			campaign_run(c, seen, &tally);
	result->doc = explore_doc(c, &tally, seen, findings.list);
	if (tally.err)
		return refused(&result->error, call, tally.err);
	if (arg_given(call, "--record"))
		err = behaviours_write(seen, arg_typed(call, "--record"));
	if (err)
		return fail(&result->error, STATUS_USAGE, err, "cannot write '%s': %s",
			    arg_typed(call, "--record"), strerror(err));
	if (arg_given(call, "--compare") &&
	    behaviours_compare(seen, arg_typed(call, "--compare"), &differences, &result->error))
		return -1;
	if (tally.failures || differences)
		result->error.status = STATUS_FALSE;
	return result->error.status ? -1 : 0;
}

static int run_explore(const struct call *call, struct lab *lab, struct result *result)
{
	struct campaign campaign = { 0 };
	struct behaviours *seen;
	int err;

	(void)lab;
	if (arg_given(call, "--model")) {
		model_print();
		return 0;
	}
	if (arg_given(call, "--output") && mkdir(arg_typed(call, "--output"), 0777) &&
	    errno != EEXIST)
		return fail(&result->error, STATUS_USAGE, errno, "cannot make '%s': %s",
			    arg_typed(call, "--output"), strerror(errno));
	signals_catch(SIGINT);
	signals_catch(SIGTERM);
	if (set_up(call, &campaign, &result->error))
		return -1;
	note("seed %" PRIu64, campaign.wanted.seed);
	seen = calloc(1, sizeof(*seen));
	if (!seen)
		no_memory();
	err = run_campaign(call, &campaign, seen, result);
	free(seen);
	return err;
}

static const struct arg_type arg_list = { .meta = "LIST", .parse = arg_parse_any };
static const struct arg_type arg_replay = { .meta = "SEED:RUN", .parse = arg_parse_any };
static const struct arg_type arg_directory = { .meta = "DIR", .parse = arg_parse_any,
					       .compgen = 'd' };

const struct command command_explore = {
	.name = "explore",
	.summary = "try random labs, and compare the answers with a model of the kernel",
	.args = ARGS(
		{ "--seed", &arg_u64, "of all that is random; another one each time if not given",
		  .letter = 's' },
		{ "--runs", &arg_u64, "how many labs to try", .letter = 'n' },
		{ "--duration", &arg_period, "or how long (10s)", .letter = 'D' },
		{ "--threads", &arg_u32, "that call at the same time (3)", .letter = 't' },
		{ "--jobs", &arg_u32, "labs at the same time (4)", .letter = 'J' },
		{ "--mechanisms", &arg_list, "only these, with commas between" },
		{ "--verbs", &arg_list, "only these" },
		{ "--size", &arg_u32, "at most so many calls of a thread in a row (4)" },
		{ "--stop-at", &arg_u32, "stop after so many failures (1)" },
		{ "--output", &arg_directory, "write a scenario for each failure there",
		  .letter = 'o' },
		{ "--replay", &arg_replay, "play this run again, until it fails or 50 times" },
		{ "--record", &arg_file, "write what was answered in which state" },
		{ "--compare", &arg_file, "compare it with what was recorded on another kernel" },
		{ "--model", &arg_flag, "print the model, and try nothing" }),
	.notes =
	"Every run brings an item into a state, and lets verbs meet there; every fourth does\n"
	"what it likes. Each answer has to be one that the model allows, the counters have to add\n"
	"up, and records have to agree with them. A failing run is made smaller, and named by its\n"
	"seed and number. Exits 1 if one fails, or if behaviours differ.\n",
	.lab = LAB_NONE,
	.check = check_explore,
	.run = run_explore,
	.print = print_explore,
};
