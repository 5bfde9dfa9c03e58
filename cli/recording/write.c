// SPDX-License-Identifier: GPL-2.0-only
/* Recordings: writing them. */
#include <errno.h>
#include <json.h>
#include <string.h>
#include <unistd.h>

#include "recording/recording.h"

uint32_t recording_sum(const void *bytes, size_t nr)
{
	const unsigned char *p = bytes;
	uint32_t sum = 2166136261;

	while (nr--)
		sum = (sum ^ *p++) * 16777619;
	return sum;
}

static int write_all(int fd, const void *bytes, size_t nr)
{
	const char *p = bytes;

	while (nr) {
		ssize_t len = write(fd, p, nr);

		if (len < 0 && errno != EINTR)
			return errno;
		if (len > 0) {
			p += len;
			nr -= len;
		}
	}
	return 0;
}

static int write_chunk(int fd, enum chunk_type type, const void *bytes, size_t nr)
{
	struct chunk chunk = { .type = type,
			       .length = (uint32_t)nr,
			       .sum = recording_sum(bytes, nr) };
	int err;

	chunk.head_sum = recording_sum(&chunk, offsetof(struct chunk, head_sum));
	err = write_all(fd, &chunk, sizeof(chunk));
	return err ? err : write_all(fd, bytes, nr);
}

int recording_start(int fd)
{
	struct recording_start start = { .version = RECORDING_VERSION, .order = RECORDING_ORDER };

	memcpy(start.magic, RECORDING_MAGIC, sizeof(start.magic));
	return write_all(fd, &start, sizeof(start));
}

int recording_json(int fd, enum chunk_type type, json_object *doc)
{
	const char *text = json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN);

	return write_chunk(fd, type, text, strlen(text));
}

int recording_records(int fd, const struct bhlab_event *events, size_t nr)
{
	const size_t most = RECORDING_CHUNK_MAX / sizeof(*events);
	int err = 0;

	for (size_t part; nr && !err; nr -= part, events += part) {
		part = nr < most ? nr : most;
		err = write_chunk(fd, CHUNK_RECORDS, events, part * sizeof(*events));
	}
	return err;
}
