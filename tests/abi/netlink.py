#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""netlink.py TEST…: drives the netlink family with the kernel's own client, by the specification in
docs/netlink/bhlab.yaml. Prints a line for each test."""
import errno
import json
import os
import socket
import struct
import subprocess
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, f"{HERE}/out")
from pyynl.lib import NlError, YnlFamily  # noqa: E402: found only now

NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR = 1, 4, 0x300, 0x10
LAB_GET, ITEM_GET, QUEUE_GET, STATS_GET = 1, 2, 3, 4


def client():
    # no schema: the guest has nothing to check it with
    return YnlFamily(f"{HERE}/out/bhlab.json", schema="")


class Lab:
    """A lab that lives as long as this."""

    def __init__(self, commands=""):
        self.fd = os.open("/dev/bhlab", os.O_RDWR)
        self.run(commands)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def run(self, commands):
        subprocess.run(["bhctl", "--fd", str(self.fd), "-q", "batch", "-"], input=commands.encode(),
                       pass_fds=[self.fd], check=True)

    def number(self):
        info = subprocess.check_output(["bhctl", "--fd", str(self.fd), "-p", "info"],
                                       pass_fds=[self.fd])
        return int(next(line.split()[1] for line in info.decode().splitlines()
                        if line.split("\t")[0] == "lab"))


def refused(call, number, text, dump=False):
    try:
        answer = call()
    except NlError as error:
        message = error.nl_msg.extack.get("msg", "") if error.nl_msg.extack else ""
        # the reason why a dump is refused does not come through on 6.1
        lost = dump and os.uname().release.startswith("6.1.")
        assert -error.nl_msg.error == number and (text in message or lost), (error, message)
    else:
        raise AssertionError(f"answered {answer}")


def test_objects(family):
    """one of each, as the ioctls have it; all of a lab; all"""
    with Lab("add queue q --unbound --max-active 3\nadd work w --queue q --data hello --cookie 9\n"
             "add tasklet t\nqueue w\nwait w runs 1\nadd irq line\n") as lab, \
            Lab("add timer other\n") as other:
        number = lab.number()
        got = family.do("lab-get", {"id": number})
        assert (got["items"], got["queues"], got["locks"], got["fifos"]) == (3, 1, 0, 0), got
        assert got["uid"] == 0 and got["pid"] == os.getpid() and got["comm"] == "netlink.py", got
        assert got["recorded"] == 1 and got["read"] == 0 and got["lost"] == 0, got
        assert {x["id"] for x in family.dump("lab-get", {})} == {number, other.number()}

        work = family.do("item-get", {"lab": number, "id": 2})
        assert (work["name"], work["mech"], work["data"], work["cookie"]) == \
            ("w", "work", "hello", 9), work
        assert work["runs"] == work["accepted"] == 1 and work["outstanding"] == 0, work
        assert work["queue"] == 1, work
        assert work["state"] == set() and "irq" not in work and "cpu" not in work, work
        items = family.dump("item-get", {"lab": number})
        assert [x["name"] for x in items] == ["w", "t", "line"] and items[0] == work, items
        assert items[2]["irq"] > 0, items
        assert [x["name"] for x in family.dump("item-get", {})] == ["w", "t", "line", "other"]

        queue = family.do("queue-get", {"lab": number, "id": 1})
        assert (queue["name"], queue["flags"], queue["max-active"], queue["items"]) == \
            ("q", {"unbound"}, 3, 1), queue
        assert family.dump("queue-get", {}) == [queue]
        assert family.dump("queue-get", {"lab": other.number()}) == []


def test_many(family):
    """a dump of more than one message has each once, in order"""
    names = [f"w{i}" for i in range(300)]
    with Lab("".join(f"add work {name}\n" for name in names)) as lab:
        assert [x["name"] for x in family.dump("item-get", {"lab": lab.number()})] == names


def test_stats(family):
    """the driver as a whole"""
    before = family.do("stats-get", {})
    mechanisms = json.loads(subprocess.check_output(["bhctl", "-j", "mechanisms"]))["mechanisms"]
    assert before["mechanism"] == [mechanism["name"] for mechanism in mechanisms], before
    with Lab():
        assert family.do("stats-get", {})["labs"] == before["labs"] + 1
    limit = int(open("/sys/module/bhlab/parameters/labs", encoding="ascii").read())
    assert before["max-labs"] == limit, before


def test_refused(family):
    """what is not there, and what does not go together"""
    with Lab("add work w\nadd queue q\n") as lab:
        number = lab.number()
        refused(lambda: family.do("lab-get", {"id": 200}), errno.ENOENT, "there is no such lab")
        refused(lambda: family.do("lab-get", {"id": 0}), errno.ERANGE, "out of range")
        refused(lambda: family.do("lab-get", {}), errno.EINVAL, "")
        refused(lambda: family.do("item-get", {"lab": number}), errno.EINVAL, "")
        refused(lambda: family.do("item-get", {"id": 1}), errno.EINVAL, "")
        refused(lambda: family.do("item-get", {"lab": 200, "id": 1}), errno.ENOENT,
                "there is no such lab")
        for item in 2, 99, 0x80000000, 0xffffffff:
            refused(lambda item=item: family.do("item-get", {"lab": number, "id": item}),
                    errno.ENOENT,
                    "there is no such object")
        for queue in 1, 99, 0xffffffff:
            refused(lambda queue=queue: family.do("queue-get", {"lab": number, "id": queue}),
                    errno.ENOENT,
                    "there is no such object")
        refused(lambda: family.do("queue-get", {"lab": number, "id": 0x80000000}), errno.ENOENT, "")
        refused(lambda: family.dump("item-get", {"lab": 200}), errno.ENOENT, "there is no such lab",
                dump=True)
        refused(lambda: family.dump("item-get", {"lab": number, "id": 1}), errno.EINVAL,
                "a dump is of all", dump=True)
        refused(lambda: family.dump("lab-get", {"id": number}), errno.EINVAL, "a dump is of all",
                dump=True)
        # known only from answers
        refused(lambda: family.do("lab-get", {"id": number, "uid": 0}), errno.EINVAL,
                "nknown attribute")
        refused(lambda: family.do("item-get", {"lab": number, "id": 1, "name": "w"}), errno.EINVAL,
                "nknown attribute")
        refused(lambda: family.do("stats-get", {"abi": 0}), errno.EINVAL, "")


def test_events(family):
    """the group has what happens from then on, and a lab's end"""
    with Lab("add work before\nqueue before\nwait before runs 1\n") as old:
        family.ntf_subscribe("events")
        with Lab("add work w --cookie 5 --data x --do 'mark 7'\nqueue w\nwait w runs 1\n"
                 "add tasklet t\ndelay w 100s\ncancel w\n") as lab:
            number = lab.number()
        old.run("queue before\nwait before runs 2\n")
        messages = [x["msg"] for x in family.poll_ntf(duration=2)]
        ours = [x for x in messages if x["lab"] == number]
        events = [e for x in ours for e in x.get("event", [])]
        assert [(e["kind"], e["item"], e["cookie"]) for e in events] == \
            [("mark", 1, 5), ("run", 1, 5), ("cancelled", 1, 5)], events
        assert events[0]["value"] == 7 and events[1]["data"].rstrip(b"\0") == b"x", events
        assert "task" in events[1]["context"] and events[1]["mech"] == "work", events
        assert [i for x in ours for i in x.get("item", [])][0] == {"id": 1, "name": "w"}, ours
        assert ours[0]["first"] == 0 and "lost" not in ours[0], ours
        assert "closed" in ours[-1] and ours[-1]["first"] == 3, ours
        # of the lab that was there before, only what came after
        theirs = [e for x in messages if x["lab"] != number for e in x.get("event", [])]
        assert [(e["kind"], e["nth"]) for e in theirs] == [("run", 2)], theirs
        stats = family.do("stats-get", {})
        assert stats["events"] >= 4 and stats["lost"] == 0, stats


def test_strangers(family):
    """a user sees the own labs, and may not subscribe"""
    with Lab("add work w\n") as lab:
        number = lab.number()
        groups = os.getgrouplist("alice", 1000)
        child = os.fork()
        if not child:
            os.setgroups(groups)
            os.setresgid(1000, 1000, 1000)
            os.setresuid(1000, 1000, 1000)
            status = 1
            try:
                strangers(number)
                status = 0
            except Exception:  # the child must not go on with the tests
                tell("not ok", "strangers")
            os._exit(status)
        assert os.waitpid(child, 0)[1] == 0


def strangers(root):
    family = client()
    for request in (("lab-get", {"id": root}), ("item-get", {"lab": root, "id": 1}),
                    ("queue-get", {"lab": root, "id": 1})):
        refused(lambda request=request: family.do(*request), errno.EPERM,
                "the lab is another user's")
    refused(lambda: family.dump("item-get", {"lab": root}), errno.EPERM,
            "the lab is another user's", dump=True)
    assert family.dump("lab-get", {}) == [] and family.dump("item-get", {}) == []
    with Lab("add work mine\n") as lab:
        assert [x["uid"] for x in family.dump("lab-get", {})] == [1000]
        assert [x["name"] for x in family.dump("item-get", {})] == ["mine"]
        assert family.do("item-get", {"lab": lab.number(), "id": 1})["name"] == "mine"
    try:
        client().ntf_subscribe("events")  # which wants a socket that is new
    except PermissionError:
        return
    raise AssertionError("subscribed")


def ask(sock, family, cmd, attrs, flags=NLM_F_ACK, version=1, reserved=0):
    """One request as it is: the errno of its answer, 0 if it has none."""
    body = struct.pack("=BBH", cmd, version, reserved) + attrs
    sock.send(struct.pack("=IHHII", 16 + len(body), family, NLM_F_REQUEST | flags, 1, 0) + body)
    while True:
        data = sock.recv(65536)
        kind, = struct.unpack_from("=H", data, 4)
        if kind in (2, 3):  # an error or acknowledgement; the end of a dump
            return -struct.unpack_from("=i", data, 16)[0]


def attr(number, payload, length=None):
    raw = struct.pack("=HH", 4 + len(payload) if length is None else length, number) + payload
    return raw + b"\0" * (-len(raw) % 4)


def test_malformed(family):
    """what no client of good will sends"""
    number = family.nlproto.family_id
    with Lab("add work w\n") as lab, socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16) as sock:
        sock.bind((0, 0))
        u32 = struct.pack("=I", lab.number())
        one = struct.pack("=I", 1)
        table = [
            (0, LAB_GET, attr(2, u32)),
            (0, ITEM_GET, attr(2, u32) + attr(3, one)),
            (errno.EINVAL, LAB_GET, b""),
            (errno.EINVAL, LAB_GET, b"\xff"),
            (errno.EINVAL, LAB_GET, attr(2, u32) + b"\0\0\0"),
            (errno.EINVAL, LAB_GET, attr(2, u32, 3)),
            (errno.EINVAL, LAB_GET, attr(2, u32, 0)),
            (errno.EINVAL, LAB_GET, attr(2, u32, 64)),
            (errno.EINVAL, LAB_GET, attr(2, b"")),
            (errno.EINVAL, LAB_GET, attr(2, u32[:3])),
            (errno.EINVAL, LAB_GET, attr(2, u32 + u32)),
            (errno.ERANGE, LAB_GET, attr(2, b"\0\0\0\0")),
            (errno.EINVAL, LAB_GET, attr(2 | 0x8000, u32)),
            (errno.EINVAL, LAB_GET, attr(1, b"")),
            (errno.EINVAL, LAB_GET, attr(0, u32)),
            (errno.EINVAL, LAB_GET, attr(2, u32) + attr(14, u32)),
            (errno.EINVAL, LAB_GET, attr(2, u32) + attr(0x3fff, u32)),
            (errno.EINVAL, ITEM_GET, attr(2, u32) + attr(3, one) + attr(4, b"w\0")),
            (errno.EINVAL, ITEM_GET, attr(2, u32) + attr(3, u32 * 1000)),
            (errno.EINVAL, STATS_GET, attr(1, u32)),
            (errno.EOPNOTSUPP, 0, b""),
            (errno.EOPNOTSUPP, 5, b""),
            (errno.EOPNOTSUPP, 255, b""),
        ]
        for want, cmd, attrs in table:
            got = ask(sock, number, cmd, attrs)
            assert got == want, (cmd, attrs, errno.errorcode.get(got), errno.errorcode.get(want))
        assert ask(sock, number, LAB_GET, attr(2, u32), reserved=1) == errno.EINVAL
        assert ask(sock, number, STATS_GET, b"", flags=NLM_F_ACK | NLM_F_DUMP) == errno.EOPNOTSUPP
        assert ask(sock, number, LAB_GET, attr(14, u32),
                   flags=NLM_F_ACK | NLM_F_DUMP) == errno.EINVAL


def test_changes(family):
    """a dump during which an object came says so"""
    number = family.nlproto.family_id
    with Lab("".join(f"add work w{i}\n" for i in range(300))) as lab, \
            socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16) as sock:
        sock.bind((0, 0))
        body = struct.pack("=BBH", ITEM_GET, 1, 0)
        flags = NLM_F_REQUEST | NLM_F_DUMP
        sock.send(struct.pack("=IHHII", 16 + len(body), number, flags, 1, 0) + body)
        flags = []
        for i in range(1000):
            data = sock.recv(8192)
            kind, bits = struct.unpack_from("=HH", data, 4)
            flags.append(bool(bits & NLM_F_DUMP_INTR))
            if i == 0:
                lab.run("add work late\n")
            if kind == 3:
                break
        assert not flags[0] and any(flags[1:]), flags


def tell(result, name):
    why = traceback.format_exc().replace("\n", "|") if result != "ok" else ""
    print(f"{result} {name} {why}".rstrip(), flush=True)


def main(names):
    for name in names:
        try:
            globals()[f"test_{name}"](client())
            tell("ok", name)
        except Exception:  # whatever it is, the others are run
            tell("not ok", name)


if __name__ == "__main__":
    main(sys.argv[1:])
