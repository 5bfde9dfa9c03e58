// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a bhlab that is built with -fsanitize-coverage=trace-pc calls in each of its
 * basic blocks, in any context. Remembers the places from which it was called, also
 * while that module is loaded and unloaded, and tells them in debugfs.
 */
#include <linux/bitops.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/seq_file.h>
#include <linux/vmalloc.h>

#define COVERAGE_BYTES	0x100000

void __sanitizer_cov_trace_pc(void);

/* The text that stays, and that of the start. */
static struct coverage_region {
	enum mod_mem_type type;
	const char *name;
	unsigned long base;
	unsigned long size;
	unsigned long *bits;
} coverage_regions[] = {
	{ .type = MOD_TEXT, .name = "text" },
	{ .type = MOD_INIT_TEXT, .name = "init" },
};

notrace void __sanitizer_cov_trace_pc(void)
{
	unsigned long pc = (unsigned long)__builtin_return_address(0);
	struct coverage_region *r;

	for (r = coverage_regions; r < coverage_regions + ARRAY_SIZE(coverage_regions); r++)
		if (pc - r->base < READ_ONCE(r->size) && !test_bit(pc - r->base, r->bits))
			set_bit(pc - r->base, r->bits);
}
EXPORT_SYMBOL(__sanitizer_cov_trace_pc);

/* A module that is about to start, or has just ended, runs nowhere. */
static int coverage_notify(struct notifier_block *nb, unsigned long state, void *data)
{
	struct module *mod = data;
	struct coverage_region *r;

	if (state != MODULE_STATE_COMING || strcmp(mod->name, "bhlab"))
		return NOTIFY_DONE;
	for (r = coverage_regions; r < coverage_regions + ARRAY_SIZE(coverage_regions); r++) {
		WRITE_ONCE(r->size, 0);
		r->base = (unsigned long)mod->mem[r->type].base;
		WRITE_ONCE(r->size, min(mod->mem[r->type].size, COVERAGE_BYTES));
	}
	return NOTIFY_OK;
}

static struct notifier_block coverage_notifier = { .notifier_call = coverage_notify };

/* "text BASE", and then how far behind it it was called from. */
static int coverage_show(struct seq_file *s, void *unused)
{
	struct coverage_region *r;
	unsigned long at;

	for (r = coverage_regions; r < coverage_regions + ARRAY_SIZE(coverage_regions); r++) {
		seq_printf(s, "%s %lx\n", r->name, r->base);
		for_each_set_bit(at, r->bits, COVERAGE_BYTES)
			seq_printf(s, "%lx\n", at);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(coverage);

static struct dentry *coverage_file;

static void coverage_free(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(coverage_regions); i++)
		vfree(coverage_regions[i].bits);
}

static int __init coverage_init(void)
{
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(coverage_regions); i++) {
		coverage_regions[i].bits = vzalloc(COVERAGE_BYTES / BITS_PER_BYTE);
		if (!coverage_regions[i].bits) {
			coverage_free();
			return -ENOMEM;
		}
	}
	ret = register_module_notifier(&coverage_notifier);
	if (ret) {
		coverage_free();
		return ret;
	}
	coverage_file = debugfs_create_file("bhlab_coverage", 0400, NULL, NULL, &coverage_fops);
	return 0;
}

static void __exit coverage_exit(void)
{
	debugfs_remove(coverage_file);
	unregister_module_notifier(&coverage_notifier);
	coverage_free();
}

module_init(coverage_init);
module_exit(coverage_exit);

MODULE_DESCRIPTION("Which blocks of bhlab have run");
MODULE_LICENSE("GPL");
