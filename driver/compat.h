/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The differences between the kernels that bhlab is built for. Only this file
 * may use the kernel's version, or what Kbuild has found in the headers.
 */
#ifndef BHLAB_COMPAT_H
#define BHLAB_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/irq_poll.h>
#include <linux/mm.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>

#ifndef BHLAB_HAVE_SYSTEM_PERCPU_WQ
#define system_percpu_wq system_wq
#endif

#ifndef BHLAB_HAVE_SYSTEM_DFL_WQ
#define system_dfl_wq system_unbound_wq
#endif

#ifdef BHLAB_HAVE_DISABLE_WORK
#define BHLAB_CAN_DISABLE_WORK true
#else
#define BHLAB_CAN_DISABLE_WORK false
static inline bool disable_delayed_work(struct delayed_work *dwork)
{
	return false;
}

static inline bool enable_delayed_work(struct delayed_work *dwork)
{
	return false;
}
#endif

#ifndef BHLAB_HAVE_HRTIMER_SETUP
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

#ifndef BHLAB_HAVE_WQ_PERCPU
#define WQ_PERCPU 0
#endif

/* Some kernels require WQ_PERCPU with WQ_BH, and some that have it forbid it. */
#ifdef BHLAB_HAVE_BH_QUEUE
#define BHLAB_CAN_BH_QUEUE true
#define BHLAB_WQ_BH_PERCPU (WQ_PERCPU & __WQ_BH_ALLOWS)
#else
#define BHLAB_CAN_BH_QUEUE false
#define BHLAB_WQ_BH_PERCPU 0
#define WQ_BH 0
#define system_bh_wq NULL
#define system_bh_highpri_wq NULL
#endif

#ifndef BHLAB_HAVE_KTHREAD_RUN_WORKER
#define kthread_run_worker kthread_create_worker
#endif

/* A library of block drivers: there if one of these selects it. */
#ifdef CONFIG_IRQ_POLL
#define BHLAB_CAN_IRQ_POLL true
#else
#define BHLAB_CAN_IRQ_POLL false
static inline void bhlab_no_irq_poll_init(struct irq_poll *poll, int weight,
					  int (*fn)(struct irq_poll *poll, int weight))
{
}

static inline void bhlab_no_irq_poll(struct irq_poll *poll)
{
}

#define irq_poll_init bhlab_no_irq_poll_init
#define irq_poll_sched bhlab_no_irq_poll
#define irq_poll_complete bhlab_no_irq_poll
#define irq_poll_disable bhlab_no_irq_poll
#define irq_poll_enable bhlab_no_irq_poll
#endif

/* May call_srcu() be called with a raw spin lock held? On RT it took one that sleeps. */
#ifdef BHLAB_HAVE_SRCU_RAW
#define BHLAB_CAN_CALL_SRCU_RAW true
#else
#define BHLAB_CAN_CALL_SRCU_RAW false
#endif

#ifndef BHLAB_HAVE_VM_FLAGS_CLEAR
static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

#ifdef BHLAB_HAVE_GENL_INFO_DUMP
#define bhlab_dump_attrs(cb) (genl_info_dump(cb)->attrs)
#else
#define bhlab_dump_attrs(cb) (genl_dumpit_info(cb)->attrs)
#endif

/* False if the kernel cannot report subscriptions to the family. */
static inline bool bhlab_genl_bind(struct genl_family *family,
				   int (*bind)(int group))
{
#ifdef BHLAB_HAVE_GENL_BIND
	family->bind = bind;
	return true;
#else
	return false;
#endif
}

#ifdef BHLAB_OWN_IRQ_SIM
#define BHLAB_KERNEL_IRQ_SIM false
#include "irq_sim.h"
#else
#define BHLAB_KERNEL_IRQ_SIM true
#include <linux/irq_sim.h>
#endif

#endif /* BHLAB_COMPAT_H */
