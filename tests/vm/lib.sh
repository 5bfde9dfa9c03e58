# shellcheck shell=bash
# shellcheck disable=SC2016 # apt and the inner shells expand these
# shellcheck disable=SC2034 # the scripts use these
# Functions that the scripts of the VM loop share. To be sourced.

shopt -s inherit_errexit

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# The tree under test; a patched copy of it can be tested with the loop of this one.
BHLAB_SRC=$(cd "${BHLAB_SRC:-$VM_DIR/../..}" && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/bhlab
LOGS=$CACHE/logs
source "$VM_DIR/own.sh"
source "$VM_DIR/packages.sh"

say() { echo "bhlab: $*" >&2; }

die() {
	say "$*"
	exit 69
}

# usage [STATUS]: prints the comment that the script begins with, and ends it as a wrong command
# line does; with STATUS 0, because it was asked for.
usage() {
	local status=${1-64}
	((status == 0)) || exec >&2
	sed -n '2,/^[^#]/ s/^# \?//p' "$0"
	exit "$status"
}

is_root() { [[ $(id -u) == 0 ]]; }

# quietly LOG FAILURE COMMAND…: what COMMAND says goes to the file LOG. Only when it fails is the
# end of that shown, and the script ends with FAILURE.
quietly() {
	local log=$1 failure=$2 status
	mkdir -p "${log%/*}"
	# after || a function would go on after an error
	set +e
	(
		set -e
		"${@:3}"
	) >"$log" 2>&1 </dev/null
	status=$?
	set -e
	((status)) || return 0
	tail -n 60 "$log" >&2
	die "$failure; $log has all that was said"
}

# need_tools COMMAND=PACKAGE…: installs the packages of the commands that are missing
need_tools() {
	local pair
	local -a missing=()
	for pair in "$@"; do
		command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
	done
	((${#missing[@]})) || return 0
	is_root ||
		die "missing on this host, install with:" \
			"sudo apt-get install --no-install-recommends ${missing[*]}"
	say "installing ${missing[*]} on this host, by apt (a minute, once)"
	quietly "$LOGS/apt" "cannot install ${missing[*]}" install_packages "${missing[@]}"
}

install_packages() { # PACKAGE…
	apt-get -qq update
	DEBIAN_FRONTEND=noninteractive apt-get -qqy install --no-install-recommends "$@"
}

# --- kernels: those of the table, and what is no name of it: one's own

table_row() { # NAME: prints KIND SOURCE WHAT CMDLINE
	awk -v name="$1" '!/^#/ && $1 == name { $1 = ""; print; found = 1 } END { exit !found }' \
		"$VM_DIR/kernels"
}

kernel_row() { # KERNEL: the same; of one's own the KIND is tree or image
	table_row "$1" || { is_own "$1" && echo "$(own_kind "$1") - - -"; }
}

# known_kernels KERNEL…: ends the script as a wrong command line does if one is neither in the table
# nor a path. To be called for what the user names, before anything is asked of it or made.
known_kernels() {
	local name
	for name; do
		kernel_row "$name" >/dev/null && continue
		say "no kernel named '$name' in tests/vm/kernels;" \
			"there are: $(kernel_names | paste -sd' '); and no such directory or image"
		exit 64
	done
}

kernel_names() { awk '!/^(#|$)/ { print $1 }' "$VM_DIR/kernels"; }

kernel_default() { echo "${BHLAB_KERNEL:-$(kernel_names | head -n 1)}"; }

kernel_id() { # KERNEL: a name for files
	if is_own "$1"; then own_id "$1"; else echo "$1"; fi
}

kernel_label() { # KERNEL: what is shown
	if is_own "$1"; then own_label "$1"; else echo "$1"; fi
}

kernel_base() { # NAME: the entry whose image NAME boots
	local kind source
	read -r kind source _ < <(kernel_row "$1")
	if [[ $kind == variant ]]; then echo "$source"; else echo "$1"; fi
}

kernel_driver() { # NAME: the entry for which the driver is built that it loads
	local what
	read -r _ _ what _ < <(kernel_row "$1")
	if [[ $what == - ]]; then kernel_base "$1"; else echo "$1"; fi
}

kernel_switch() { # NAME: a word for make when the driver is built, if any
	local kind what
	read -r kind _ what _ < <(kernel_row "$1")
	[[ $kind != variant || $what == - ]] || echo "$what"
}

kernel_kind() { # NAME: of its base
	local kind
	read -r kind _ < <(kernel_row "$(kernel_base "$1")")
	echo "$kind"
}

kernel_cmdline() { # NAME
	local cmdline
	read -r _ _ _ cmdline < <(kernel_row "$1")
	[[ $cmdline == - ]] || echo "$cmdline"
}

# The files of a kernel lie in the cache, and one's own where it was built. They are to be bound in
# the toolbox by kernel_binds; make_kernel_once must have been called for it.

kernel_version() { # NAME: as uname -r says it
	case $(kernel_kind "$1") in
	tree | image) own_version "$1" ;;
	source) cat "$(kernel_tree "$1")/version" ;;
	deb) cat "$(package_tree "$1")/version" ;;
	esac
}

kernel_binds() { # NAME: what has to be bound in the toolbox for the paths below
	case $(kernel_kind "$1") in
	tree | image) echo "$(dirname "$(own_image "$1")"):/kernel" ;;
	source) echo "$(kernel_tree "$1"):/kernel" ;;
	deb) package_binds "$1" ;;
	esac
}

kernel_image() { # NAME: path in the toolbox
	case $(kernel_kind "$1") in
	tree | image) echo "/kernel/$(basename "$(own_image "$1")")" ;;
	source) echo /kernel/bzImage ;;
	deb) echo /kernel/vmlinux ;;
	esac
}

kernel_headers() { # NAME: path in the toolbox of what modules are built against
	case $(kernel_kind "$1") in
	source) echo /kernel/build ;;
	deb) echo "/lib/modules/$(kernel_version "$1")/build" ;;
	esac
}

kernel_modules() { # NAME: path on the host of the lists of modules
	case $(kernel_kind "$1") in
	tree | image) own_modules "$1" ;;
	source) kernel_tree "$1" ;;
	deb) echo "$(package_tree "$1")/usr/lib/modules/$(kernel_version "$1")" ;;
	esac
}

# in_toolbox_for KERNEL [SOURCE:TARGET…] -- COMMAND…: in_toolbox, with the files of the kernel there
in_toolbox_for() {
	local -a kernel_parts
	make_kernel_once "$1"
	mapfile -t kernel_parts < <(kernel_binds "$1")
	shift
	in_toolbox "${kernel_parts[@]}" "$@"
}

# What takes a second on another kernel can take so many on this one.
kernel_slowness() { # NAME
	if is_own "$1"; then
		own_slowness "$1"
	elif [[ $(kernel_kind "$1") == source ]]; then
		echo 4
	else
		echo 1
	fi
}

# --- results

# check NAME COMMAND…: one line of TAP, and what COMMAND said if it failed; $work is a directory of
# the caller's. COMMAND runs without set -e.
n=0 failures=0
check() {
	local name=$1 result=ok
	shift
	n=$((n + 1))
	# shellcheck disable=SC2154 # the caller's
	"$@" >"$work/log" 2>&1 </dev/null || result='not ok' failures=$((failures + 1))
	[[ $result == ok ]] || sed 's/^/# /' "$work/log"
	echo "$result $n $name"
}

# Prints how many tests of the TAP in FILE have passed, failed and been skipped. kselftest nests the
# results of each program as comments below one line for the program; that line is counted when it
# failed, since then the program may have died before it said anything.
count_tap() { # FILE
	awk '
		/^(# )*ok [0-9]+ / { n["ok"]++; if (/# (SKIP|skip)/) { n["skip"]++; n["ok"]-- } }
		/^(# )*not ok [0-9]+ / { n["bad"]++ }
		/^ok [0-9]+ selftests: / { n["ok"]-- }
		END { print n["ok"] + 0, n["bad"] + 0, n["skip"] + 0 }
	' "$1"
}

closing_line() { # PASSED FAILED SKIPPED
	if (($3)); then
		echo "$1 passed, $2 failed, $3 skipped"
	else
		echo "$1 passed, $2 failed"
	fi
}

# The kernel in docs/behaviour.md that tells what this one does, if any: what is built for debugging
# is too slow and too different, and a switch of the driver must not make a difference. Of a package
# the series counts that is really there.
behaviour_column() { # NAME
	local base flavour='' version column=$1
	[[ $(kernel_kind "$1") == deb ]] || return 0
	base=$(kernel_base "$1")
	make_kernel_once "$base"
	version=$(kernel_version "$base")
	[[ $version != *-rt-* ]] || flavour=-rt
	version=$(grep -oE '^[0-9]+\.[0-9]+' <<<"$version")
	[[ $base == "$version$flavour" ]] || column=$version$flavour
	"$VM_DIR/../scenarios/behaviour" columns | grep -Fx -e "$column" && return
	"$VM_DIR/../scenarios/behaviour" columns | grep -Fx -e "$version$flavour" || true
}

# --- Debian trees

# The repository of the host's first main entry that is not the security archive, in whatever format
# its sources are written. Every suite used here lies in it.
debian_repository() {
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' \
		'Origin: Debian' 'Label: Debian' |
		head -n 1 | grep .
}

# Proxies, time checks and the like of the host; not what names lists of indices.
apt_settings() {
	apt-config dump Acquire |
		grep -vE '^Acquire(::(IndexTargets|Changelogs|CompressionTypes|GzipIndexes|Languages|cdrom)| )'
}

# recipe_hash RECIPE: changes with all that decides what the tree contains
recipe_hash() {
	{
		cat "$VM_DIR/recipes/$1".*
		declare -f debian_tree
	} | sha256sum | head -c 12
}

# What making a tree, and what is packed and built from it, takes of the host; before two of these
# are begun at the same time, it has to be called once.
prepare_host() {
	need_tools mmdebstrap=mmdebstrap cpio=cpio rsync=rsync
	if is_root; then
		debian_repository >/dev/null ||
			quietly "$LOGS/apt" 'cannot fetch the lists of the Debian archive' \
				apt-get -qq update
	else
		need_tools newuidmap=uidmap
	fi
}

# debian_tree TREE RECIPE SUITE…: makes a tree from recipes/RECIPE.packages, finished by
# recipes/RECIPE.hook. It comes as a tar stream, so that it belongs to whoever makes it, in a user
# namespace too.
debian_tree() {
	local tree=$1 recipe=$VM_DIR/recipes/$2 uri suite
	local -a sources=() options=()
	shift 2
	prepare_host
	uri=$(debian_repository) ||
		die "apt has no lists of a Debian archive yet, run: sudo apt-get update"
	for suite; do sources+=("deb $uri $suite main"); done
	apt_settings >"$tree.apt"
	# /tmp may be too small for the tree, but only root can be sure to reach any other place
	if is_root; then
		options+=(--mode=root)
		export TMPDIR=$CACHE/tmp
	else
		options+=(--mode=unshare)
	fi
	mmdebstrap --quiet --variant=apt --format=tar --skip=cleanup/apt "${options[@]}" \
		--aptopt="$tree.apt" \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--include="$(grep -v '^#' "$recipe.packages" | paste -sd,)" \
		--customize-hook="'$recipe.hook' \"\$1\"" \
		"$1" - "${sources[@]}" | tar -x --preserve-permissions -C "$tree" \
		--exclude='./dev/*' ||
		die "mmdebstrap failed; without root it needs user namespaces and a range for $(id -un) in /etc/subuid"
	rm "$tree.apt"
}

# make_once TARGET FUNCTION [ARGUMENT…]: FUNCTION TEMP ARGUMENT… makes TEMP, which then becomes
# TARGET. An interrupted making leaves no TARGET, and of two at the same time the second finds the
# work done.
make_once() {
	local target=$1 temp=$1.new make_lock
	[[ -e $target ]] && return
	mkdir -p "$CACHE/tmp"
	exec {make_lock}>"$CACHE/tmp/${target##*/}.lock"
	flock --nonblock "$make_lock" || {
		say "waiting for another run, which is making ${target##*/}"
		flock "$make_lock"
	}
	if [[ ! -e $target ]]; then
		rm -rf --one-file-system "$temp"
		local began=$SECONDS
		"$2" "$temp" "${@:3}"
		mv -T "$temp" "$target"
		((SECONDS - began < 5)) || say "made ${target##*/} in $((SECONDS - began)) s"
	fi
	exec {make_lock}>&-
}

# --- the toolbox

# The demo gets by with the small one, which is made in a third of the time; if the other one is
# there, it takes that.
WHOLE_TOOLBOX=$CACHE/toolbox-$(recipe_hash toolbox)
TOOLBOX=$WHOLE_TOOLBOX
[[ ! ${BHLAB_SMALL-} || -e $TOOLBOX ]] || TOOLBOX=$CACHE/small-$(recipe_hash small)

make_toolbox() { # TEMP
	prepare_host
	mkdir "$1"
	if [[ $TOOLBOX == "$WHOLE_TOOLBOX" ]]; then
		say "making the toolbox, a Debian tree of 1.5 GB with compilers and QEMU" \
			"(3 minutes, once)"
		quietly "$LOGS/toolbox" 'cannot make the toolbox' \
			debian_tree "$1" toolbox trixie trixie-backports
	else
		say "making the small toolbox, a Debian tree of 700 MB with one compiler and QEMU" \
			"(a minute, once)"
		quietly "$LOGS/small" 'cannot make the small toolbox' debian_tree "$1" small trixie
	fi
}

# mount_dev DIRECTORY: a /dev with what programs expect, and nothing else of the host: a compiler
# that is root must not write to its disks. The nodes are the host's, as mknod may be refused. Each
# is mounted by itself and read-only, so that nothing changes its mode or puts a file in its place,
# as tools do whose output is /dev/null; what is written to the device still gets there.
mount_dev() {
	local node
	mount -t tmpfs -o mode=755,nosuid,noexec dev "$1"
	for node in null zero full random urandom tty kvm; do
		[[ -c /dev/$node ]] || continue
		: >"$1/$node"
		mount -o bind,ro,nosuid,noexec "/dev/$node" "$1/$node"
	done
	mkdir "$1/pts" "$1/shm"
	mount -t devpts -o newinstance,ptmxmode=666,mode=620,nosuid,noexec pts "$1/pts"
	mount -t tmpfs -o mode=1777,nosuid,nodev shm "$1/shm"
	ln -s pts/ptmx /proc/self/fd "$1"
	for node in 0:stdin 1:stdout 2:stderr; do
		ln -s "/proc/self/fd/${node%:*}" "$1/${node#*:}"
	done
}

# enter_tree TREE [SOURCE:TARGET…]: sets the array enter to the words before a command that run it
# in this tree with SOURCE bound to TARGET, in a mount namespace of its own so that no mount is left
# behind, and with an environment that is always the same. All is done by exec: the process is the
# command.
enter_tree() {
	local tree=$1
	local -a how=(--mount)
	shift
	is_root || how+=(--user --map-root-user)
	enter=(unshare "${how[@]}" bash -euc "$(declare -f mount_dev)"'
		tree=$1 count=$2
		shift 2
		mkdir -p "$tree/dev"
		mount_dev "$tree/dev"
		for bind in proc:/proc "${@:1:count}"; do
			mkdir -p "$tree/${bind#*:}"
			mount --rbind "/${bind%%:*}" "$tree/${bind#*:}"
		done
		shift "$count"
		exec chroot "$tree" env -i PATH=/usr/sbin:/usr/bin HOME=/root LC_ALL=C.UTF-8 \
			TERM="${TERM:-dumb}" "$@"
	' _ "$tree" $# "$@")
}

# enter_toolbox [SOURCE:TARGET…]: the same for the toolbox, which is made first if it is not there
enter_toolbox() {
	make_once "$TOOLBOX" make_toolbox
	enter_tree "$TOOLBOX" "$@"
}

# in_toolbox [SOURCE:TARGET…] -- COMMAND…
in_toolbox() {
	local -a binds=() enter
	while [[ $1 != -- ]]; do
		binds+=("$1")
		shift
	done
	shift
	enter_toolbox "${binds[@]}"
	"${enter[@]}" "$@"
}

# --- kernels that are built from sources

kernel_fragment() { # NAME: 7.2-debug has debug.config
	echo "$VM_DIR/${1##*-}.config"
}

kernel_tree() { # NAME: where it is built, once for all that decides what it is
	local name hash
	name=$(kernel_base "$1")
	hash=$({
		kernel_row "$name" | cut -d' ' -f 1-4 &&
			cat "$(kernel_fragment "$name")" "$VM_DIR/recipes/kernel.build"
	} | sha256sum)
	echo "$CACHE/kernel-$name-${hash:0:12}"
}

make_kernel_once() { # NAME
	case $(kernel_kind "$1") in
	source) make_once "$(kernel_tree "$1")" make_kernel "$(kernel_base "$1")" ;;
	deb) make_once "$(package_tree "$1")" make_package "$(kernel_base "$1")" ;;
	esac
}

make_kernel() { # TEMP NAME
	local suite package
	read -r _ suite package _ < <(kernel_row "$2")
	make_once "$TOOLBOX" make_toolbox
	say "building the kernel $2 from $package (10 minutes, once)"
	mkdir "$1"
	quietly "$LOGS/kernel-$2" "cannot build the kernel $2" \
		build_kernel "$1" "$2" "$suite" "$package"
}

build_kernel() { # DIRECTORY NAME SUITE PACKAGE
	cp "$(kernel_fragment "$2")" "$1/fragment"
	(cd "$1" && archive "$3" apt-get -qq download "$4")
	in_toolbox "$1:/kernel" "$VM_DIR/recipes:/mnt" -- nice -n 19 /mnt/kernel.build
}

# --- what is built from the tree under test

BUILD=$CACHE/build/$(basename "$BHLAB_SRC")-$(sha256sum <<<"$BHLAB_SRC" | head -c 12)

# cpio_of DIRECTORY: its contents as a piece of initramfs that belongs to root, without a trace of
# where they lie
cpio_of() {
	(cd "$1" && find . -mindepth 1 -print0 | sort -z |
		cpio --null --create --format=newc --owner=+0:+0 --reproducible --quiet)
}

# write_cpio DIRECTORY FILE: a run that reads the old FILE at the same time reads it to its end
write_cpio() {
	cpio_of "$1" >"$2.new"
	mv "$2.new" "$2"
}

# --- the guest

GUEST=$CACHE/guest-$(recipe_hash guest).cpio

make_guest() {
	local tree=$1.tree
	prepare_host
	say "making the guest, the Debian tree of 93 MB that is booted (a minute, once)"
	rm -rf --one-file-system "$tree"
	mkdir "$tree"
	quietly "$LOGS/guest" 'cannot make the guest' debian_tree "$tree" guest trixie
	cpio_of "$tree" >"$1"
	rm -rf --one-file-system "$tree"
}

# --- QEMU

# A /dev/kvm can be there and start no guest at all, so a kernel must show that it gets as far as
# missing its root.
kvm_boots() { # KERNEL
	[[ -w /dev/kvm ]] || return
	in_toolbox_for "$1" -- timeout 10 qemu-system-x86_64 -nodefaults -no-user-config \
		-display none -no-reboot -machine pc -accel kvm -cpu host -m 512 \
		-kernel "$(kernel_image "$1")" \
		-append 'console=ttyS0 quiet panic=-1' -serial stdio 2>/dev/null </dev/null |
		grep -q 'Unable to mount root'
}

# With erms and fsrm the kernel clears and copies pages by instructions that are emulated byte by
# byte: a third more for a boot.
make_accelerator() { # TEMP KERNEL
	if kvm_boots "$2"; then
		echo -accel kvm -cpu host
	else
		echo -accel tcg,thread=multi -cpu max,-erms,-fsrm
	fi >"$1"
}

# accelerator KERNEL: prints QEMU's options for it, found once for each boot of this host
accelerator() {
	local known
	known=$CACHE/accelerator-$(declare -f make_accelerator | sha256sum |
		head -c 12)-$(</proc/sys/kernel/random/boot_id)
	make_once "$known" make_accelerator "$1"
	cat "$known"
}
