// SPDX-License-Identifier: GPL-2.0-only
/*
 * report: a picture that gnuplot draws: how latencies and run times of each
 * mechanism are distributed, and what ran when and where. All that comes from
 * the recording goes through a pipe, as numbers and as text of which nothing is
 * left that gnuplot could take for more than text.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/spawn.h"
#include "base/out.h"
#include "recording/report.h"

/* Pixels. */
#define WIDTH		1200
#define LABELS		140	/* left of the plots */
#define MARGIN		40	/* right of them */
#define GAP		70	/* between two of them */
#define HEAD		75	/* above them */
#define ROW		44	/* of a mechanism */
#define LANE		26	/* of a track */
#define FOOT		95	/* below each: axis, key */
#define KEY		45	/* of that, the axis */
#define TITLE		35	/* above each */
/* Bars of the distributions: so many for a factor of ten, and for all 64 bits. */
#define BINS		16
#define BIN_FACTOR	1.1547819846894583
#define BINS_MAX	320
/* What is drawn of a long recording: its beginning, so that what is drawn can be seen. */
#define DRAWN_MAX	2000
#define TRACKS_MAX	64

/*
 * The colours of Okabe and Ito, which people with red-green blindness can tell apart, and
 * lighter and darker shades of them.
 */
static const uint32_t colors[] = {
	0x0072b2, 0xe69f00, 0x009e73, 0xcc79a7, 0x56b4e9, 0xd55e00, 0x999999, 0xf0e442, 0x332288,
	0x66418c, 0x8c5a2b,
	0x7fc9a9, 0x33608c,
};

struct svg {
	FILE *to;			/* gnuplot */
	const struct recording *recording;
	struct tracks tracks;
	const struct bhlab_event **sorted;	/* by mechanism */
	size_t *row_of;			/* by number of the record: its row of the distributions */
	size_t rows, lanes;
	size_t drawn;			/* how many records the timeline has */
	uint64_t base_ns;
	size_t low, high;		/* the ends of an axis, as factors of ten of a nanosecond */
};

/* --- text and numbers */

static void put_text(struct svg *s, const char *text)
{
	for (; *text; text++)
		putc(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			    "0123456789 ._+:/#~()-",
			    *text) ?
			     *text :
			     '?',
		     s->to);
}

static double us(uint64_t ns)
{
	return (double)ns / 1000;
}

static double ms(const struct svg *s, uint64_t ns)
{
	return ns > s->base_ns ? (double)(ns - s->base_ns) / 1000000 : 0;
}

static uint32_t color_of(size_t row)
{
	return colors[row % ARRAY_SIZE(colors)];
}

/* --- distributions: of each mechanism a row of boxes, as high as there are many values in them */

/* The histogram's buckets are thinner than a line: BINS of a factor of ten are drawn. */
static size_t bin_of(uint64_t ns)
{
	size_t bin = 0;

	for (double end = BIN_FACTOR; end <= (double)ns; end *= BIN_FACTOR)
		bin++;
	return bin;
}

static double bin_start(size_t bin)
{
	double start = us(1);

	while (bin--)
		start *= BIN_FACTOR;
	return start;
}

static size_t height_of(const struct svg *s, size_t row)
{
	return s->rows - 1 - row;
}

static void put_boxes(struct svg *s, const struct hist *hist, size_t row)
{
	uint64_t bins[BINS_MAX] = { 0 }, most = 1;
	size_t y = height_of(s, row);

	for (size_t i = 0; i < HIST_BUCKETS; i++)
		if (hist->buckets[i])
			bins[bin_of(hist_bottom(i))] += hist->buckets[i];
	for (size_t i = 0; i < BINS_MAX; i++)
		most = bins[i] > most ? bins[i] : most;
	for (size_t i = 0; i < BINS_MAX; i++) {
		if (!bins[i])
			continue;
		s->low = i / BINS < s->low ? i / BINS : s->low;
		s->high = i / BINS >= s->high ? i / BINS + 1 : s->high;
		fprintf(s->to, "%g %zu %g %g %zu %g %u\n", bin_start(i), y, bin_start(i),
			bin_start(i + 1), y, (double)y + 0.75 * (double)bins[i] / (double)most,
			color_of(row));
	}
}

/* Nothing takes no time; on a scale of logarithms a nanosecond has to do for it. */
static double us_on_scale(uint64_t ns)
{
	return us(ns ? ns : 1);
}

static void put_quantiles(struct svg *s, const struct hist *hist, size_t row)
{
	if (hist->nr)
		fprintf(s->to, "%zu %g %g %g %g\n", height_of(s, row), us_on_scale(hist->min),
			us_on_scale(hist_quantile(hist, 500)),
			us_on_scale(hist_quantile(hist, 990)), us_on_scale(hist->max));
}

typedef void (*put_hist)(struct svg *s, const struct hist *hist, size_t row);

/* The block of data $@name: all mechanisms, by @put. */
static void put_block(struct svg *s, const char *name, put_hist put, bool queue_to_start)
{
	struct group group;
	struct times times;
	size_t row = 0;

	fprintf(s->to, "$%s << EOD\n", name);
	for (size_t i = 0; i < s->recording->records.nr; i += group.nr) {
		group = group_at(s->recording, BY_MECH, s->sorted, i);
		times = group_times(&group);
		if (times.run_time->nr)
			put(s, queue_to_start ? times.queue_to_start : times.run_time, row++);
		times_free(&times);
	}
	fputs("EOD\n", s->to);
}

/* The rows of the distributions, of those that have run, from above to below. */
static void make_rows(struct svg *s)
{
	const struct records *records = &s->recording->records;
	struct group group;

	s->sorted = groups_sort(s->recording, BY_MECH);
	s->row_of = xrealloc(NULL, records->nr + 1, sizeof(*s->row_of));
	for (size_t i = 0; i < records->nr; i += group.nr) {
		bool ran = false;

		group = group_at(s->recording, BY_MECH, s->sorted, i);
		for (size_t j = 0; j < group.nr; j++) {
			s->row_of[group.list[j] - records->list] = s->rows;
			ran = ran || group.list[j]->kind == BHLAB_EVENT_RUN;
		}
		s->rows += ran;
	}
}

/* Calls @put for each mechanism that has run, with its row. */
static void each_row(struct svg *s,
		     void (*put)(struct svg *s, const struct bhlab_event *run, size_t row))
{
	size_t row = 0;

	for (size_t i = 0; row < s->rows; i++) {
		size_t at = s->sorted[i] - s->recording->records.list;

		if (s->row_of[at] == row && s->sorted[i]->kind == BHLAB_EVENT_RUN)
			put(s, s->sorted[i], row++);
	}
}

static void put_tic(struct svg *s, const struct bhlab_event *run, size_t row)
{
	char label[64];

	mech_label(s->recording, run, label, sizeof(label));
	fprintf(s->to, "%s\"", row ? ", " : "");
	put_text(s, label);
	fprintf(s->to, "\" %g", (double)height_of(s, row) + 0.3);
}

/* --- layout: margins are parts of the whole, counted from the lower left corner */

static size_t plot_height(const struct svg *s)
{
	return s->rows * ROW;
}

static size_t lanes_height(const struct svg *s)
{
	return s->lanes * LANE;
}

static size_t height(const struct svg *s)
{
	return HEAD + TITLE + plot_height(s) + FOOT + TITLE + lanes_height(s) + FOOT;
}

static void put_margins(struct svg *s, size_t left, size_t right, size_t top, size_t bottom)
{
	double all = (double)height(s);

	fprintf(s->to, "set lmargin at screen %g\nset rmargin at screen %g\n", (double)left / WIDTH,
		(double)right / WIDTH);
	fprintf(s->to, "set tmargin at screen %g\nset bmargin at screen %g\n",
		1 - (double)top / all, 1 - (double)bottom / all);
}

/* What was recorded, and where. */
static void put_head(struct svg *s)
{
	const struct recording *recording = s->recording;
	json_object *words = json_object_object_get(recording->head, "command");
	double y = 1 - 28 / (double)height(s);

	fprintf(s->to, "set label 1 at screen %g,%g font ',17' \"", (double)MARGIN / WIDTH, y);
	for (size_t i = 0; i < json_object_array_length(words) && i < 12; i++) {
		fputs(i ? " " : "", s->to);
		put_text(s, json_object_get_string(json_object_array_get_idx(words, i)));
	}
	fprintf(s->to, "\"\nset label 2 at screen %g,%g textcolor '#444444' \"",
		(double)MARGIN / WIDTH, y - 24 / (double)height(s));
	put_text(s, json_string(recording->head, "/release"));
	fprintf(s->to, "%s, %u CPUs, %zu records",
		json_flag(recording->head, "/realtime") ? " PREEMPT_RT" : "", recording->cpus,
		recording->records.nr);
	if (recording->all_lost)
		fprintf(s->to, ", %" PRIu64 " more were lost", recording->all_lost);
	fputs("\"\n", s->to);
}

/* Below the axis of the plot that ends at @bottom. */
static void put_key(struct svg *s, size_t bottom)
{
	fprintf(s->to, "set key at screen %g,%g right top horizontal samplen 1\n",
		(double)(WIDTH - MARGIN) / WIDTH, 1 - (double)(bottom + KEY) / (double)height(s));
}

static void put_start(struct svg *s)
{
	fprintf(s->to, "set encoding utf8\n"
		"set terminal svg size %d,%zu noenhanced font 'DejaVu Sans,sans-serif,13' "
		"background '#ffffff'\n"
		"set multiplot\n"
		"set border 1 lc rgb '#444444'\n"
		"set tics nomirror out\n"
		"set style fill solid 1 noborder\n", WIDTH, height(s));
	put_head(s);
}

/* --- the plots */

#define TIME_TICS									\
	"('1 ns' .001, '10 ns' .01, '100 ns' .1, '1 µs' 1, '10 µs' 10, '100 µs' 100, "	\
	"'1 ms' 1e3, "								\
	"'10 ms' 1e4, '100 ms' 1e5, '1 s' 1e6, '10 s' 1e7, '100 s' 1e8, '1000 s' 1e9)"

/*
 * For each mechanism: bars, and below them a line from the smallest to the largest value,
 * with three points.
 */
static void plot_hists(struct svg *s, const char *title)
{
	fprintf(s->to, "set title '%s' offset 0,-0.4\nset yrange [-0.3:%zu]\n", title, s->rows);
	/* A little more, or a mark at the end may be rounded away. */
	fprintf(s->to, "set xrange [.999e%d:1.001e%d]\n", (int)s->low - 3, (int)s->high - 3);
	fprintf(s->to, "plot $bars using 1:2:3:4:5:6:7 with boxxyerror fc rgb variable notitle, "
		"$points using 2:1:2:5 with xerrorbars pt 0 lc rgb '#000000' notitle, "
		"'' using 3:1 with points pt 7 ps 0.8 lc rgb '#000000' title 'median', "
		"'' using 4:1 with points pt 9 ps 0.9 lc rgb '#000000' title '99%%', "
		"'' using 5:1 with points pt 2 ps 0.7 lc rgb '#000000' title 'maximum'\n"
		"unset label 1\nunset label 2\n");
}

/* Both blocks of data, of which one has the bars and the ends of the axis. */
static void put_blocks(struct svg *s, bool queue_to_start)
{
	s->low = BINS_MAX;
	s->high = 0;
	put_block(s, "bars", put_boxes, queue_to_start);
	put_block(s, "points", put_quantiles, queue_to_start);
	/* Nothing is known of when they were queued. */
	if (!s->high) {
		s->low = 0;
		s->high = 1;
	}
}

static void put_distributions(struct svg *s)
{
	size_t top = HEAD + TITLE, middle = (WIDTH + LABELS) / 2;

	fputs("set logscale x\nset grid xtics lc rgb '#dddddd'\nset xtics " TIME_TICS
	      "\nset ytics scale 0 (",
	      s->to);
	each_row(s, put_tic);
	fputs(")\nset key off\n", s->to);
	put_blocks(s, true);
	put_margins(s, LABELS, middle - GAP / 2, top, top + plot_height(s));
	plot_hists(s, "From queueing to start: how many runs took so long");
	fputs("set format y ''\nset ytics scale 0 ()\n", s->to);
	put_blocks(s, false);
	put_margins(s, middle + GAP / 2, WIDTH - MARGIN, top, top + plot_height(s));
	put_key(s, top + plot_height(s));
	plot_hists(s, "Run time: how many runs took so long");
}

static const struct instant {
	enum bhlab_event_kind kind;
	int point;
	const char *name;
} instants[] = {
	{ BHLAB_EVENT_COALESCED, 6, "already pending" },
	{ BHLAB_EVENT_CANCELLED, 2, "cancelled" },
	{ BHLAB_EVENT_MARK, 10, "mark" },
	{ BHLAB_EVENT_DROPPED, 4, "dropped" },
};

static size_t lane_of(const struct svg *s, size_t record)
{
	return s->tracks.of[record];
}

static void put_runs(struct svg *s)
{
	const struct records *records = &s->recording->records;

	fputs("$runs << EOD\n", s->to);
	for (size_t i = 0; i < s->drawn; i++) {
		const struct bhlab_event *event = &records->list[i];
		double y = (double)s->lanes - 1 - (double)lane_of(s, i);

		if (event->kind == BHLAB_EVENT_RUN && lane_of(s, i) < s->lanes)
			fprintf(s->to, "%.6f %g %.6f %.6f %g %g %u\n", ms(s, event->started_ns), y,
				ms(s, event->started_ns), ms(s, event->finished_ns), y - 0.36,
				y + 0.36, color_of(s->row_of[i]));
	}
	fputs("EOD\n", s->to);
}

/* False if there are none. */
static bool put_instants(struct svg *s, const struct instant *instant)
{
	const struct records *records = &s->recording->records;
	bool any = false;

	fprintf(s->to, "$kind%d << EOD\n", instant->kind);
	for (size_t i = 0; i < s->drawn; i++) {
		if (records->list[i].kind != instant->kind || lane_of(s, i) >= s->lanes)
			continue;
		fprintf(s->to, "%.6f %g\n", ms(s, records->list[i].started_ns),
			(double)s->lanes - 1 - (double)lane_of(s, i));
		any = true;
	}
	fputs("EOD\n", s->to);
	return any;
}

static void put_lane_tics(struct svg *s)
{
	char name[64];

	fputs("set format y '%s'\nset ytics scale 0 (", s->to);
	for (size_t i = 0; i < s->lanes; i++) {
		track_name(&s->tracks.list[i], name, sizeof(name));
		fprintf(s->to, "%s\"CPU %u %s\" %zu", i ? ", " : "", s->tracks.list[i].cpu, name,
			s->lanes - 1 - i);
	}
	fputs(")\n", s->to);
}

static void put_key_entry(struct svg *s, const struct bhlab_event *run, size_t row)
{
	char label[64];

	mech_label(s->recording, run, label, sizeof(label));
	fprintf(s->to, ", keyentry with boxes fc rgb %u title \"", color_of(row));
	put_text(s, label);
	fputs("\"", s->to);
}

/*
 * A little more than there is. gnuplot finds no end by itself if nothing is drawn, or
 * all of it in one moment.
 */
static double end_ms(const struct svg *s)
{
	double end = 0;

	for (size_t i = 0; i < s->drawn; i++) {
		double ended = ms(s, s->recording->records.list[i].finished_ns);

		end = ended > end ? ended : end;
	}
	return end > 0 ? 1.01 * end : 1;
}

static void put_title(struct svg *s)
{
	fputs("set title 'What ran where and when", s->to);
	if (s->drawn < s->recording->records.nr)
		fprintf(s->to, ": the first %zu of %zu records", s->drawn,
			s->recording->records.nr);
	if (s->lanes < s->tracks.nr)
		fprintf(s->to, ", %zu of %zu rows", s->lanes, s->tracks.nr);
	fputs("'\n", s->to);
}

static void put_timeline(struct svg *s)
{
	size_t top = HEAD + TITLE + plot_height(s) + FOOT + TITLE;
	bool any[ARRAY_SIZE(instants)];

	put_runs(s);
	for (size_t i = 0; i < ARRAY_SIZE(instants); i++)
		any[i] = put_instants(s, &instants[i]);
	put_margins(s, LABELS, WIDTH - MARGIN, top, top + lanes_height(s));
	put_title(s);
	put_lane_tics(s);
	fprintf(s->to,
		"unset logscale x\nset xtics auto\nset format x '%%g ms'\n"
		"set yrange [-0.6:%zu - 0.4]\n"
		"set xrange [0:%g]\n",
		s->lanes, end_ms(s));
	put_key(s, top + lanes_height(s));
	/* A line where each starts, since most are thinner than one. */
	fputs("plot $runs using 1:2:3:4:5:6:7 with boxxyerror fc rgb variable notitle, "
	      "'' using 1:5:(0):($6-$5):7 with vectors nohead lw 1 lc rgb variable notitle", s->to);
	for (size_t i = 0; i < ARRAY_SIZE(instants); i++)
		if (any[i])
			fprintf(s->to,
				", $kind%d using 1:2 with points pt %d ps 0.5 lc rgb '#000000' "
				"title '%s'",
				instants[i].kind, instants[i].point, instants[i].name);
	each_row(s, put_key_entry);
	fputs("\nunset multiplot\n", s->to);
}

/* --- gnuplot */

static void become_gnuplot(int in, int out)
{
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	execlp("gnuplot", "gnuplot", "-d", "-", NULL);
	_exit(STATUS_NOT_FOUND);
}

/* -1 and why, or its process. */
static pid_t start_gnuplot(struct svg *s, FILE *file, struct error *e)
{
	int ends[2];
	pid_t child;

	fflush(file);
	if (pipe2(ends, O_CLOEXEC))
		return fail(e, STATUS_REFUSED, errno, "cannot make a pipe");
	child = exec_fork(e);
	if (!child)
		become_gnuplot(ends[0], fileno(file));
	close(ends[0]);
	if (child < 0) {
		close(ends[1]);
		return -1;
	}
	s->to = fdopen(ends[1], "w");
	return child;
}

static int end_gnuplot(struct svg *s, pid_t child, struct error *e)
{
	bool failed = fclose(s->to);
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return fail(e, STATUS_REFUSED, errno, "cannot wait for gnuplot");
	if (failed || status)
		return fail(e, STATUS_REFUSED, 0, "gnuplot failed: exit status %d",
			    exec_status(status));
	return 0;
}

static int draw(struct svg *s, FILE *file, struct error *e)
{
	pid_t child = start_gnuplot(s, file, e);

	if (child < 0)
		return -1;
	put_start(s);
	put_distributions(s);
	put_timeline(s);
	return end_gnuplot(s, child, e);
}

int check_svg(const struct recording *recording, struct error *e)
{
	size_t i = 0;

	if (exec_find("gnuplot"))
		return fail(e, STATUS_ABSENT, 0,
			    "--svg needs gnuplot, which is not installed; its package is "
			    "gnuplot-nox");
	while (i < recording->records.nr && recording->records.list[i].kind != BHLAB_EVENT_RUN)
		i++;
	if (i < recording->records.nr)
		return 0;
	return usage(e, "'%s' has no run to draw", recording->path);
}

int report_svg(const struct recording *recording, FILE *file, struct error *e)
{
	const struct records *records = &recording->records;
	struct svg s = { .recording = recording,
			 .drawn = records->nr < DRAWN_MAX ? records->nr : DRAWN_MAX };
	void (*old)(int) = signal(SIGPIPE, SIG_IGN);
	int err = tracks_make(recording, &s.tracks, e);

	if (!err) {
		make_rows(&s);
		s.lanes = s.tracks.nr < TRACKS_MAX ? s.tracks.nr : TRACKS_MAX;
		s.base_ns = records->list[0].started_ns;
		err = draw(&s, file, e);
	}
	signal(SIGPIPE, old);
	tracks_free(&s.tracks);
	free(s.sorted);
	free(s.row_of);
	return err;
}
