/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BHCTL_JSON_DOC_H
#define BHCTL_JSON_DOC_H

#include <json.h>
#include <stdint.h>

#include "base/error.h"

/* NULL if there is nothing at @path. */
json_object *json_at(json_object *object, const char *path);
/* What is no character that can be printed becomes '?'. */
void text_clean(char *text);
/* Text that may hold anything, such as comm, as valid JSON text. */
json_object *json_text(const char *text);
void json_add(json_object *object, const char *key, json_object *value);
void json_add_text(json_object *object, const char *key, const char *text);
void json_add_number(json_object *object, const char *key, uint64_t number);
void json_add_bool(json_object *object, const char *key, bool value);
/* What @doc has under @key; NULL if there is none of this type. */
json_object *json_get(json_object *doc, const char *key, enum json_type type);
/* 0, "" or false if there is none. */
uint64_t json_number(json_object *object, const char *path);
const char *json_string(json_object *object, const char *path);
bool json_flag(json_object *object, const char *path);
/* The words of @array with @separator between, into @buf. */
void json_join(json_object *array, const char *separator, char *buf, size_t size);

#endif
