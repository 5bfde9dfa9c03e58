/* SPDX-License-Identifier: GPL-2.0-only */
/* FIFOs: a bounded number of entries. */
#ifndef BHLAB_FIFO_H
#define BHLAB_FIFO_H

#include <linux/types.h>

#include <linux/bhlab.h>

struct bhlab_fifo;
struct bhlab_lab;
struct bhlab_object;

struct bhlab_object *bhlab_fifo_create(struct bhlab_lab *lab,
				       struct bhlab_fifo_create *cmd);
void bhlab_fifo_state(struct bhlab_fifo *fifo, struct bhlab_fifo_state *st);
u64 bhlab_fifo_push(struct bhlab_fifo *fifo, u64 nr);
void bhlab_fifo_pop(struct bhlab_fifo *fifo, u64 nr);
u64 bhlab_fifo_pop_upto(struct bhlab_fifo *fifo, u64 nr);
struct bhlab_fifo *to_fifo(struct bhlab_object *obj);

#endif /* BHLAB_FIFO_H */
