/* SPDX-License-Identifier: GPL-2.0-only */
/* Steps: what programs are made of. */
#ifndef BHLAB_STEP_H
#define BHLAB_STEP_H

struct bhlab_run;

void bhlab_program_run(struct bhlab_run *run);

#endif /* BHLAB_STEP_H */
