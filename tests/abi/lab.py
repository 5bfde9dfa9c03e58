#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Drives a lab with nothing but Python's standard library."""
import fcntl
import os
import struct
from array import array
from collections import namedtuple

# Numbers and layouts, as <linux/bhlab.h> has them.
INFO, ITEM_CREATE, ITEM_STATE = 0xBF00, 0xBF10, 0xBF11
QUEUE, WAIT = 0xBF20, 0xBF30
WORK, TASKLET = 1, 2
SPIN, MARK_STEP = 1, 7
QUEUED, ALREADY_PENDING = 1, 2
IDLE = 1
RUN, COALESCED, MARK = 1, 3, 5
KINDS = {RUN: "run", COALESCED: "coalesced", MARK: "mark"}
CONTEXTS = {1: "task", 2: "softirq", 4: "hardirq"}

# "=" is the machine's byte order without padding: the structures have no holes.
INFO_LAYOUT = "=10I6Q10IQ64s"
CREATE_LAYOUT = "=8I3Q32s32siI"
STATE_LAYOUT = "=12I17Q32s32siI"
ACT_LAYOUT = "=6IQ4I"
WAIT_LAYOUT = "=4I2Q"
STEP_LAYOUT = "=2IQ2I"
EVENT_LAYOUT = "=I4B2I5Q2I8H16s32s"
Event = namedtuple("Event", """seq kind mech stage zero item lab cookie queued_ns started_ns
    finished_ns value pid nth queue_cpu cpu ring_cpu context softirq_queued softirq_started
    skipped flags comm data""")


def call(fd, number, layout, *fields):
    """An ioctl. A structure begins with its size; fields that are not given are 0."""
    request = bytearray(struct.calcsize(layout))
    rest = struct.unpack(layout, request)[1 + len(fields):]
    struct.pack_into(layout, request, 0, len(request), *fields, *rest)
    fcntl.ioctl(fd, number, request)
    return struct.unpack(layout, request)


def create(fd, mech, name, steps):
    program = array("B", b"".join(struct.pack(STEP_LAYOUT, op, 0, arg, 0, 0) for op, arg in steps))
    address = program.buffer_info()[0]
    return call(fd, ITEM_CREATE, CREATE_LAYOUT, 0, mech, 0, 0, len(steps), 0, 0,
                address, 0, 0, name.encode(), b"from python")[7]


def queue(fd, item):
    return call(fd, QUEUE, ACT_LAYOUT, 0, item)[7]


def wait_idle(fd, item):
    ten_seconds = 10_000_000_000
    call(fd, WAIT, WAIT_LAYOUT, 0, item, IDLE, 0, ten_seconds)


lab = os.open("/dev/bhlab", os.O_RDWR)
info = call(lab, INFO, INFO_LAYOUT)
print("bhlab on Linux", info[27].rstrip(b"\0").decode(), "with", info[6], "CPUs")

work = create(lab, WORK, "work", [(SPIN, 5_000_000)])
tasklet = create(lab, TASKLET, "tasklet", [(MARK_STEP, 42)])

# Queued twice: the second is the same activation if the first has not started yet.
results = [queue(lab, work), queue(lab, work)]
assert results[0] == QUEUED and results[1] in (QUEUED, ALREADY_PENDING), results
assert queue(lab, tasklet) == QUEUED
wait_idle(lab, work)
wait_idle(lab, tasklet)

events = [Event(*e) for e in struct.iter_unpack(EVENT_LAYOUT, os.read(lab, 64 * 128))]
print("item  kind       context  until start  CPUs")
for e in events:
    print(f"{e.item:4}  {KINDS[e.kind]:9}  {CONTEXTS[e.context & 7]:7}  "
          f"{(e.started_ns - e.queued_ns) // 1000:8} us  {e.queue_cpu} -> {e.cpu}")

state = call(lab, ITEM_STATE, STATE_LAYOUT, 0, work)
accepted, coalesced, runs = state[12], state[13], state[15]
assert accepted == runs == results.count(QUEUED), state
assert coalesced == results.count(ALREADY_PENDING), state
assert sum(e.kind == RUN and e.item == work for e in events) == runs, events
assert [(e.item, e.value) for e in events if e.kind == MARK] == [(tasklet, 42)], events
for e in events:
    assert e.queued_ns <= e.started_ns <= e.finished_ns, e
    assert e.data.rstrip(b"\0") == b"from python", e
    assert e.kind != RUN or CONTEXTS[e.context & 7] == {work: "task", tasklet: "softirq"}[e.item], e
os.close(lab)
