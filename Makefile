# SPDX-License-Identifier: GPL-2.0-only
#
# Two commands need nothing but git and make: they set everything up, and run it in a virtual machine.
#
#   make demo      watch a kernel queue, cancel, flush and delay, and take an interrupt
#   make test      everything that is tested on the default kernel
#
#   make matrix    the tour and the tests of the guest on every kernel of tests/vm/kernels, a table of them, and docs/behaviour.md
#   make debug     the tests on a kernel with KASAN, lockdep, kmemleak…, which is built first (minutes, once)
#   make soak      all scenarios again and again, then once more so while the host is loaded: what fails now and then is a bug
#   make mutants   break the driver on purpose, one bug after the other: the tests must notice
#   make bench     what it costs, counted in instructions: docs/performance.md; fails if it has become more
#   make shell     a shell in the virtual machine; make shell KERNEL=6.1
#
# And for the kernel that runs here:
#
#   make           driver and bhctl
#   make install   them, the udev rule and the group
#   make load      install, and load the driver
#   make clean

KERNEL ?=
KDIR ?= /lib/modules/$(shell uname -r)/build
PREFIX ?= /usr/local
DESTDIR ?=

all: driver cli

driver:
	$(MAKE) -C $(KDIR) M=$(CURDIR)/driver modules

cli:
	$(MAKE) -C cli

install: all
	$(MAKE) -C $(KDIR) M=$(CURDIR)/driver modules_install
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin cli/bhctl
	install -D -m 644 -t $(DESTDIR)/usr/lib/udev/rules.d udev/60-bhlab.rules
	install -D -m 644 udev/bhlab-sysusers.conf $(DESTDIR)/usr/lib/sysusers.d/bhlab.conf
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/include/linux uapi/linux/bhlab.h uapi/linux/bhlab_netlink.h

load: install
	systemd-sysusers bhlab.conf
	udevadm control --reload
	modprobe bhlab

demo:
	tests/vm/run $(if $(KERNEL),--kernel $(KERNEL)) -- tests/demo

test:
	tests/run

matrix:
	tests/matrix --record

debug:
	tests/run --kernel 7.2-debug loop bats kselftest abi

soak:
	tests/soak
	tests/soak --load

mutants:
	tests/mutants/run

bench:
	tests/bench/run

shell:
	tests/vm/run $(if $(KERNEL),--kernel $(KERNEL)) --shell

clean:
	-$(MAKE) -C $(KDIR) M=$(CURDIR)/driver clean
	$(MAKE) -C cli clean

help:
	@sed -n '/^#/!q; s/^# \?//p' $(firstword $(MAKEFILE_LIST)) | tail -n +3

.PHONY: all driver cli install load demo test matrix debug soak mutants bench shell clean help
