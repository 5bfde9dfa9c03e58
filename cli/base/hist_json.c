// SPDX-License-Identifier: GPL-2.0-only
/* What a histogram says, as JSON; its keys are the same in every document. */
#include <json.h>

#include "base/hist.h"
#include "base/out.h"

static const struct {
	const char *key;
	unsigned int permille;
} quantiles[] = {
	{ "p50_ns", 500 },
	{ "p90_ns", 900 },
	{ "p99_ns", 990 },
	{ "p999_ns", 999 },
};

static json_object *value_json(const struct hist *hist, uint64_t value)
{
	return hist->nr ? json_object_new_uint64(value) : NULL;
}

void hist_json_quantiles(json_object *doc, const struct hist *hist, enum hist_detail detail)
{
	for (int i = 0; i < (int)detail; i++)
		json_add(doc, quantiles[i].key,
			 value_json(hist, hist_quantile(hist, quantiles[i].permille)));
}

void hist_json(json_object *doc, const struct hist *hist, enum hist_detail detail)
{
	json_add(doc, "min_ns", value_json(hist, hist->min));
	hist_json_quantiles(doc, hist, detail);
	json_add(doc, "max_ns", value_json(hist, hist->max));
	json_add(doc, "avg_ns", value_json(hist, hist_average(hist)));
}
