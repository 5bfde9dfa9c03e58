// SPDX-License-Identifier: GPL-2.0-only
/* JSON documents: what json-c does, without a failure to handle. */
#include <stdlib.h>
#include <string.h>

#include "base/json_doc.h"
#include "base/text.h"

json_object *json_at(json_object *object, const char *path)
{
	json_object *value = NULL;

	return json_pointer_get(object, path, &value) ? NULL : value;
}

/* How many bytes the character at @p has; 0 if it is none in UTF-8. */
static int utf8_length(const unsigned char *p)
{
	int len = *p < 0x80 ? 1 : *p >= 0xc2 && *p < 0xe0 ? 2 : (*p & 0xf0) == 0xe0 ? 3 :
		  *p >= 0xf0 && *p < 0xf5 ? 4 : 0;

	for (int i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

/* Nor may it do anything to a terminal. */
void text_clean(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; ) {
		int len = utf8_length(p);

		if (!len || *p < ' ' || *p == 0x7f)
			*p = '?';
		p += len ? len : 1;
	}
}

json_object *json_text(const char *text)
{
	char *copy = xstrdup(text);
	json_object *value;

	text_clean(copy);
	value = json_object_new_string(copy);
	free(copy);
	return value;
}

void json_add(json_object *object, const char *key, json_object *value)
{
	if (json_object_object_add(object, key, value))
		no_memory();
}

void json_add_text(json_object *object, const char *key, const char *text)
{
	json_add(object, key, json_object_new_string(text));
}

void json_add_number(json_object *object, const char *key, uint64_t number)
{
	json_add(object, key, json_object_new_uint64(number));
}

void json_add_bool(json_object *object, const char *key, bool value)
{
	json_add(object, key, json_object_new_boolean(value));
}

json_object *json_get(json_object *doc, const char *key, enum json_type type)
{
	json_object *value = NULL;

	json_object_object_get_ex(doc, key, &value);
	return json_object_is_type(value, type) ? value : NULL;
}

uint64_t json_number(json_object *object, const char *path)
{
	json_object *value = json_at(object, path);

	return value ? json_object_get_uint64(value) : 0;
}

const char *json_string(json_object *object, const char *path)
{
	json_object *value = json_at(object, path);

	return value ? json_object_get_string(value) : "";
}

bool json_flag(json_object *object, const char *path)
{
	return json_object_get_boolean(json_at(object, path));
}

void json_join(json_object *array, const char *separator, char *buf, size_t size)
{
	struct text text = text_in(buf, size);

	for (size_t i = 0; i < json_object_array_length(array); i++)
		text_join(&text, separator,
			  json_object_get_string(json_object_array_get_idx(array, i)));
}
