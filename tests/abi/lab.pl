#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-only
# Drives a lab with nothing but Perl itself.
use strict;
use warnings;

# Numbers and layouts, as <linux/bhlab.h> has them.
my ($INFO, $ITEM_CREATE, $ITEM_STATE) = (0xBF00, 0xBF10, 0xBF11);
my ($QUEUE, $WAIT) = (0xBF20, 0xBF30);
my ($WORK, $TASKLET) = (1, 2);
my ($SPIN, $MARK_STEP) = (1, 7);
my ($QUEUED, $ALREADY_PENDING) = (1, 2);
my $IDLE = 1;
my ($RUN, $COALESCED, $MARK) = (1, 3, 5);
my %kinds = ($RUN => "run", $COALESCED => "coalesced", $MARK => "mark");
my %contexts = (1 => "task", 2 => "softirq", 4 => "hardirq");

# pack() does not pad, and the structures have no holes.
my $INFO_LAYOUT = "L10 Q6 L10 Q a64";
my $CREATE_LAYOUT = "L8 Q3 a32 a32 l L";
my $STATE_LAYOUT = "L12 Q17 a32 a32 l L";
my $ACT_LAYOUT = "L6 Q L4";
my $WAIT_LAYOUT = "L4 Q2";
my $STEP_LAYOUT = "L2 Q L2";
my $EVENT_LAYOUT = "L C4 L2 Q5 L2 S8 a16 Z32";
my @event_fields = qw(seq kind mech stage zero item lab cookie queued_ns started_ns finished_ns
	value pid nth queue_cpu cpu ring_cpu context softirq_queued softirq_started skipped flags
	comm data);

# An ioctl. A structure begins with its size; fields that are not given are 0.
sub call {
	my ($fh, $number, $layout, @fields) = @_;
	no warnings "uninitialized";
	my $size = length pack($layout);
	my $request = pack($layout, $size, @fields);
	ioctl($fh, $number, $request) or die "ioctl $number: $!";
	return unpack($layout, $request);
}

sub create {
	my ($fh, $mech, $name, @steps) = @_;
	my $program = join "", map { pack($STEP_LAYOUT, $_->[0], 0, $_->[1], 0, 0) } @steps;
	my $address = unpack("J", pack("p", $program));
	return (call($fh, $ITEM_CREATE, $CREATE_LAYOUT, 0, $mech, 0, 0, scalar @steps, 0, 0,
		$address, 0, 0, $name, "from perl"))[7];
}

sub queue {
	my ($fh, $item) = @_;
	return (call($fh, $QUEUE, $ACT_LAYOUT, 0, $item))[7];
}

sub wait_idle {
	my ($fh, $item) = @_;
	my $ten_seconds = 10_000_000_000;
	call($fh, $WAIT, $WAIT_LAYOUT, 0, $item, $IDLE, 0, $ten_seconds);
}

sub check {
	my ($what, $true) = @_;
	die "not so: $what\n" unless $true;
}

open my $lab, "+<:raw", "/dev/bhlab" or die "/dev/bhlab: $!";
my @info = call($lab, $INFO, $INFO_LAYOUT);
printf "bhlab on Linux %s with %d CPUs\n", unpack("Z*", $info[27]), $info[6];

my $work = create($lab, $WORK, "work", [$SPIN, 5_000_000]);
my $tasklet = create($lab, $TASKLET, "tasklet", [$MARK_STEP, 42]);

# Queued twice: the second is the same activation if the first has not started yet.
my @results = (queue($lab, $work), queue($lab, $work));
check("the first is queued", $results[0] == $QUEUED);
check("the tasklet is queued", queue($lab, $tasklet) == $QUEUED);
wait_idle($lab, $work);
wait_idle($lab, $tasklet);

my @events;
sysread $lab, my $data, 64 * 128 or die "read: $!";
for (unpack "(a128)*", $data) {
	my %e;
	@e{@event_fields} = unpack $EVENT_LAYOUT, $_;
	push @events, \%e;
}
print "item  kind       context  until start  CPUs\n";
printf "%4d  %-9s  %-7s  %8d us  %d -> %d\n", $_->{item}, $kinds{$_->{kind}},
	$contexts{$_->{context} & 7}, ($_->{started_ns} - $_->{queued_ns}) / 1000,
	$_->{queue_cpu}, $_->{cpu} for @events;

my ($accepted, $coalesced, $runs) = (call($lab, $ITEM_STATE, $STATE_LAYOUT, 0, $work))[12, 13, 15];
check("all that was accepted has run", $accepted == $runs);
check("accepted is what was queued", $accepted == grep { $_ == $QUEUED } @results);
check("the rest coalesced", $coalesced == grep { $_ == $ALREADY_PENDING } @results);
check("each run is recorded", $runs == grep { $_->{kind} == $RUN && $_->{item} == $work } @events);
check("the mark is recorded", 1 == grep { $_->{kind} == $MARK && $_->{value} == 42 } @events);
for (@events) {
	check("times are in order",
		$_->{queued_ns} <= $_->{started_ns} && $_->{started_ns} <= $_->{finished_ns});
	check("the payload is there", $_->{data} eq "from perl");
	next if $_->{kind} != $RUN;
	check("the context is right",
		$contexts{$_->{context} & 7} eq ($_->{item} == $work ? "task" : "softirq"));
}
close $lab;
