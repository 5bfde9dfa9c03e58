# SPDX-License-Identifier: GPL-2.0-only
#
# Two commands need nothing but git and make: they set everything up, and run it in a virtual
# machine.
#
#   make demo      watch a kernel queue, cancel, flush and delay, and take an interrupt
#   make test      everything that is tested on the default kernel
#
# Each of them on any kernel: KERNEL=6.1, one of tests/vm/kernels; KERNEL=~/linux, a tree in which
# one was built; or an image: docs/kernels.md.
#
#   make host      what is tested without a virtual machine
#   make matrix    the tour and the tests of the guest on every kernel of tests/vm/kernels, with a
#                  table of them; writes docs/behaviour.md
#   make debug     the tests on a kernel with KASAN, lockdep, kmemleak…, which is built first (once,
#                  10 minutes)
#   make torture   calls that nobody would make on purpose, with a new seed each time, while CPUs go
#                  off and on, memory fails…; make torture TIME=1h SEED=7 KERNEL=7.2-debug
#   make explore-matrix
#                  the same random labs on several kernels, and where their answers differ
#   make coverage  which lines of the driver run in all that, but the attack
#   make soak      all scenarios 20 times, then again while the host is loaded: finds what fails
#                  now and then
#   make mutants   break the driver on purpose, one bug after the other: the tests must notice
#   make bench     what it costs, counted in instructions: docs/performance.md; fails if it is more
#                  than before
#   make shell     a shell in the virtual machine
#
# And for the kernel that runs here:
#
#   make           driver and bhctl
#   make install   them, with the udev rule, the group and the completion for bash; with DESTDIR=DIR
#                  below DIR, and nothing else changes
#   make uninstall remove what install has made
#   make load      install, and load the driver
#   make clean

KERNEL ?=
TIME ?= 10m
SEED ?=
KDIR ?= /lib/modules/$(shell uname -r)/build
PREFIX ?= /usr/local
DESTDIR ?=

# As the kernel's makefiles, which run elsewhere, have to see it; depmod is not for a package.
STAGE := $(if $(DESTDIR),$(abspath $(DESTDIR)))
MODULES_INSTALL := INSTALL_MOD_PATH=$(STAGE) $(if $(STAGE),DEPMOD=true) modules_install
release = $(shell $(MAKE) -s --no-print-directory -C $(KDIR) kernelrelease)

all: driver cli

driver:
	$(MAKE) -C $(KDIR) M=$(CURDIR)/driver modules

cli:
	$(MAKE) -C cli

install: all
	$(MAKE) -C $(KDIR) M=$(CURDIR)/driver $(MODULES_INSTALL)
	$(MAKE) -C cli PREFIX=$(PREFIX) DESTDIR=$(STAGE) install
	install -D -m 644 -t $(STAGE)/usr/lib/udev/rules.d udev/60-bhlab.rules
	install -D -m 644 udev/bhlab-sysusers.conf $(STAGE)/usr/lib/sysusers.d/bhlab.conf
	install -D -m 644 -t $(STAGE)$(PREFIX)/include/linux $(wildcard uapi/linux/*.h)

uninstall:
	rm -f $(STAGE)/lib/modules/$(release)/updates/bhlab.ko*
	rm -f $(STAGE)$(PREFIX)/bin/bhctl
	rm -f $(STAGE)$(PREFIX)/share/bash-completion/completions/bhctl
	rm -f $(STAGE)/usr/lib/udev/rules.d/60-bhlab.rules $(STAGE)/usr/lib/sysusers.d/bhlab.conf
	rm -f $(patsubst uapi/%,$(STAGE)$(PREFIX)/include/%,$(wildcard uapi/linux/*.h))
	$(if $(STAGE),,depmod $(release))

load: install
	systemd-sysusers bhlab.conf
	udevadm control --reload
	modprobe bhlab

on_kernel = $(if $(KERNEL),--kernel $(KERNEL))

# On the default kernel it needs neither the tests nor what builds them.
demo:
	$(if $(KERNEL)$(BHLAB_KERNEL),,BHLAB_SMALL=1) tests/vm/run $(on_kernel) -- tests/demo

test:
	tests/run $(on_kernel)

host:
	tests/run static pictures host own

matrix:
	tests/matrix --record

debug:
	tests/run --kernel 7.2-debug loop bats kselftest abi

explore-matrix:
	tests/explore-matrix $(KERNEL)

torture:
	tests/torture/host $(on_kernel) --time $(TIME) \
		$(if $(SEED),--seed $(SEED))

coverage:
	tests/coverage/run

soak:
	tests/soak
	tests/soak --load

mutants:
	tests/mutants/run

bench:
	tests/bench/run

shell:
	tests/vm/run $(on_kernel) --shell

clean:
	-$(MAKE) -C $(KDIR) M=$(CURDIR)/driver clean
	$(MAKE) -C cli clean

help:
	@sed -n '/^#/!q; s/^# \?//p' $(firstword $(MAKEFILE_LIST)) | tail -n +3

.PHONY: all driver cli install uninstall load demo test host matrix debug torture explore-matrix \
	coverage soak mutants bench shell clean help
