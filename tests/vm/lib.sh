# shellcheck shell=bash
# shellcheck disable=SC2016 # apt and the inner shells expand these
# shellcheck disable=SC2034 # the scripts use these
# Functions that the scripts of the VM loop share. To be sourced.

shopt -s inherit_errexit

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# The tree under test; a patched copy of it can be tested with the loop of this one.
BHLAB_SRC=$(cd "${BHLAB_SRC:-$VM_DIR/../..}" && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/bhlab

say() { echo "bhlab: $*" >&2; }

die() {
	say "$*"
	exit 69
}

is_root() { [[ $(id -u) == 0 ]]; }

# need_tools COMMAND=PACKAGE…: installs the packages of the commands that are missing
need_tools() {
	local pair
	local -a missing=()
	for pair in "$@"; do
		command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
	done
	((${#missing[@]})) || return 0
	is_root || die "missing on this host, install with: sudo apt-get install --no-install-recommends ${missing[*]}"
	say "installing ${missing[*]}"
	{ apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qqy install --no-install-recommends "${missing[@]}"; } >&2 ||
		die "cannot install ${missing[*]}"
}

# --- the table of kernels

kernel_row() { # NAME: prints KIND SOURCE WHAT CMDLINE
	awk -v name="$1" '$1 == name { $1 = ""; print; found = 1 } END { exit !found }' "$VM_DIR/kernels" ||
		die "no kernel named $1 in tests/vm/kernels; there are: $(kernel_names | paste -sd' ')"
}

kernel_names() { awk '!/^(#|$)/ { print $1 }' "$VM_DIR/kernels"; }

kernel_default() { kernel_names | head -n 1; }

kernel_base() { # NAME: the entry whose image NAME boots
	local kind source
	read -r kind source _ < <(kernel_row "$1")
	if [[ $kind == variant ]]; then echo "$source"; else echo "$1"; fi
}

kernel_cmdline() { # NAME
	local cmdline
	read -r _ _ _ cmdline < <(kernel_row "$1")
	[[ $cmdline == - ]] || echo "$cmdline"
}

kernel_version() { # NAME: as uname -r says it
	awk -v name="$(kernel_base "$1")" '$1 == name { print $2 }' "$TOOLBOX/opt/bhlab/kernels"
}

# --- Debian trees

# The repository of the host's first main entry that is not the security archive, in whatever format its sources are
# written. Every suite used here lies in it.
debian_repository() {
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' 'Origin: Debian' 'Label: Debian' |
		head -n 1 | grep .
}

# Proxies, time checks and the like of the host; not what names lists of indices.
apt_settings() {
	apt-config dump Acquire | grep -vE '^Acquire(::(IndexTargets|Changelogs|CompressionTypes|GzipIndexes|Languages|cdrom)| )'
}

# recipe_hash RECIPE: changes with all that decides what the tree contains; variants of the table do not
recipe_hash() {
	{
		cat "$VM_DIR/recipes/$1".*
		awk '$2 == "deb"' "$VM_DIR/kernels"
		declare -f debian_tree
	} | sha256sum | head -c 12
}

# debian_tree TREE RECIPE SUITE…: makes a tree from recipes/RECIPE.packages, finished by recipes/RECIPE.hook. It comes
# as a tar stream, so that it belongs to whoever makes it, in a user namespace too.
debian_tree() {
	local tree=$1 recipe=$VM_DIR/recipes/$2 uri suite
	local -a sources=() options=()
	shift 2
	debian_repository >/dev/null || { is_root && apt-get -qq update >&2; }
	uri=$(debian_repository) || die "apt has no lists of a Debian archive yet, run: sudo apt-get update"
	for suite; do sources+=("deb $uri $suite main"); done
	apt_settings >"$tree.apt"
	# /tmp may be too small for the tree, but only root can be sure to reach any other place
	if is_root; then
		options+=(--mode=root)
		export TMPDIR=$CACHE/tmp
	else
		need_tools newuidmap=uidmap
		options+=(--mode=unshare)
	fi
	mmdebstrap --quiet --variant=apt --format=tar --skip=cleanup/apt "${options[@]}" --aptopt="$tree.apt" \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--include="$(grep -v '^#' "$recipe.packages" | paste -sd,)" \
		--customize-hook="'$recipe.hook' \"\$1\" '$VM_DIR/kernels'" \
		"$1" - "${sources[@]}" | tar -x --preserve-permissions -C "$tree" --exclude='./dev/*' ||
		die "mmdebstrap failed; without root it needs user namespaces and a range for $(id -un) in /etc/subuid"
	rm "$tree.apt"
}

# make_once TARGET FUNCTION: FUNCTION TEMP makes TEMP, which then becomes TARGET. An interrupted making leaves no TARGET,
# and of two at the same time the second finds the work done.
make_once() {
	local target=$1 temp=$1.new
	[[ -e $target ]] && return
	mkdir -p "$CACHE/tmp"
	exec {make_lock}>"$CACHE/tmp/${target##*/}.lock"
	flock "$make_lock"
	if [[ ! -e $target ]]; then
		rm -rf --one-file-system "$temp"
		"$2" "$temp"
		mv -T "$temp" "$target"
	fi
	exec {make_lock}>&-
}

# --- the toolbox

TOOLBOX=$CACHE/toolbox-$(recipe_hash toolbox)

make_toolbox() {
	need_tools mmdebstrap=mmdebstrap
	say "making the toolbox (minutes, once)"
	mkdir "$1"
	debian_tree "$1" toolbox trixie trixie-backports bookworm
}

# enter_toolbox [SOURCE:TARGET…]: sets the array enter to the words before a command that run it in the toolbox with
# SOURCE bound to TARGET, in a mount namespace of its own so that no mount is left behind, and with an environment that is
# always the same. All is done by exec: the process is the command.
enter_toolbox() {
	local -a how=(--mount)
	make_once "$TOOLBOX" make_toolbox
	is_root || how+=(--user --map-root-user)
	enter=(unshare "${how[@]}" bash -euc '
		tree=$1 count=$2
		shift 2
		for bind in proc:/proc dev:/dev "${@:1:count}"; do
			mkdir -p "$tree/${bind#*:}"
			mount --rbind "/${bind%%:*}" "$tree/${bind#*:}"
		done
		shift "$count"
		exec chroot "$tree" env -i PATH=/usr/sbin:/usr/bin HOME=/root LC_ALL=C.UTF-8 TERM="${TERM:-dumb}" "$@"
	' _ "$TOOLBOX" $# "$@")
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

# --- what is built from the tree under test

BUILD=$CACHE/build/$(basename "$BHLAB_SRC")-$(sha256sum <<<"$BHLAB_SRC" | head -c 12)

# cpio_of DIRECTORY: its contents as a piece of initramfs that belongs to root
cpio_of() {
	(cd "$1" && find . -mindepth 1 -print0 | sort -z | cpio --null --create --format=newc --owner=+0:+0 --quiet)
}

# write_cpio DIRECTORY FILE: a run that reads the old FILE at the same time reads it to its end
write_cpio() {
	cpio_of "$1" >"$2.new"
	mv "$2.new" "$2"
}

# --- the guest

GUEST=$CACHE/guest-$(recipe_hash guest).cpio

make_guest() {
	need_tools mmdebstrap=mmdebstrap cpio=cpio
	say "making the guest (a minute, once)"
	local tree=$1.tree
	rm -rf --one-file-system "$tree"
	mkdir "$tree"
	debian_tree "$tree" guest trixie
	cpio_of "$tree" >"$1"
	rm -rf --one-file-system "$tree"
}

# --- QEMU

# A /dev/kvm can be there and start no guest at all, so a kernel must show that it gets as far as missing its root.
kvm_boots() {
	[[ -w /dev/kvm ]] || return
	in_toolbox -- timeout 10 qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -machine pc -accel kvm -cpu host -m 512 \
		-kernel "/opt/bhlab/boot/vmlinux-$(kernel_version "$(kernel_default)")" \
		-append 'console=ttyS0 quiet panic=-1' -serial stdio 2>/dev/null </dev/null | grep -q 'Unable to mount root'
}

make_accelerator() {
	if kvm_boots; then echo -accel kvm -cpu host; else echo -accel tcg,thread=multi -cpu max; fi >"$1"
}

# accelerator: prints QEMU's options for it, found once for each boot of this host
accelerator() {
	local known
	known=$CACHE/accelerator-$(</proc/sys/kernel/random/boot_id)
	make_once "$known" make_accelerator
	cat "$known"
}
