# shellcheck shell=bash
# shellcheck disable=SC2154 # lib.sh has these, and reads this file
# Kernels of one's own: what is named to --kernel, and is no name of the table, is the path of a
# build tree or of an image. To be sourced by lib.sh.
#
# What belongs to an image is named in the environment, so that it reaches every script:
#
# BHLAB_MODULES   lib/modules/VERSION of it, or what has that below it
# BHLAB_HEADERS   what modules are built against
# BHLAB_DRIVER    a bhlab.ko that was built for it
#
# For the image of a kernel that is installed here the first two are found.
: "${BHLAB_MODULES:=}" "${BHLAB_HEADERS:=}" "${BHLAB_DRIVER:=}"

# A name of the table is never a path.
is_own() { [[ $1 == */* || ! $(table_row "$1") ]] && [[ -d $1 || -f $1 ]]; } # KERNEL

own_kind() { if [[ -d $1 ]]; then echo tree; else echo image; fi; } # KERNEL

# own_tree DIR: where it was built: what was made with O= or KBUILD_OUTPUT has its .config there
own_tree() {
	local tree=$1 output=${O:-${KBUILD_OUTPUT-}}
	[[ -e $tree/.config || ! $output ]] || tree=$output
	realpath -e "$tree"
}

own_source() { # DIR: its sources, which lie elsewhere if it was built with O=
	local tree
	tree=$(own_tree "$1")
	realpath "$(if [[ -e $tree/source ]]; then echo "$tree/source"; else echo "$tree"; fi)"
}

own_image() { # KERNEL
	if [[ -d $1 ]]; then
		echo "$(own_tree "$1")/arch/x86/boot/bzImage"
	else
		realpath "$1"
	fi
}

# A bzImage has the version where its header says, any other image somewhere in it.
own_version() { # KERNEL: as uname -r says it
	local offset
	if [[ -d $1 ]]; then
		cat "$(own_tree "$1")/include/config/kernel.release"
	elif [[ $(od -An -tc -j $((0x202)) -N 4 "$1" | tr -d ' ') == HdrS ]]; then
		offset=$(od -An -tu2 -j $((0x20e)) -N 2 "$1")
		dd if="$1" bs=1 skip=$((offset + 0x200)) count=64 status=none |
			tr -c '[:graph:]' '\n' | awk 'NR == 1'
	else
		grep -aom 1 'Linux version [0-9][^ ]*' "$1" | awk 'NR == 1 { print $3 }'
	fi
}

# own_label KERNEL: what is shown of it: as git describes its sources, or else its version
own_label() {
	local source
	source=$([[ -d $1 ]] && own_source "$1") || source=/
	if [[ -e $source/.git ]]; then
		git -C "$source" describe --tags --dirty 2>/dev/null && return
	fi
	own_version "$1"
}

own_id() { # KERNEL: a name for files
	local path
	path=$(if [[ -d $1 ]]; then own_tree "$1"; else realpath "$1"; fi)
	echo "${path##*/}-$(sha256sum <<<"$path" | head -c 12)"
}

# own_modules KERNEL: the directory with its modules.builtin, if there is one
own_modules() {
	local version dir modules
	[[ ! -d $1 ]] || { own_tree "$1" && return; }
	version=$(own_version "$1")
	modules=${BHLAB_MODULES:-/lib/modules/$version}
	for dir in "$modules"{,"/lib/modules/$version","/$version"}; do
		[[ ! -e $dir/modules.builtin ]] || { echo "$dir" && return; }
	done
}

own_headers() { # KERNEL: the directory in which its modules are built, if there is one
	local dir
	[[ ! -d $1 ]] || { own_tree "$1" && return; }
	dir=${BHLAB_HEADERS:-/lib/modules/$(own_version "$1")/build}
	[[ ! -e $dir/Makefile ]] || realpath "$dir"
}

own_config() { # KERNEL: its configuration, if it is to be found
	local file version
	version=$(own_version "$1") || true
	for file in "$(own_headers "$1")/.config" "$(own_modules "$1")/config" \
		"$(dirname "$1")/config-$version"; do
		[[ ! -f $file ]] || { echo "$file" && return; }
	done
}

# What makes a kernel so slow that tests need more time.
own_slowness() { # KERNEL
	local config
	config=$(own_config "$1")
	if [[ $config ]] &&
		grep -qxE 'CONFIG_(KASAN|KCSAN|PROVE_LOCKING|DEBUG_OBJECTS|DEBUG_KMEMLEAK)=y' \
			"$config"; then
		echo 4
	else
		echo 1
	fi
}

# --- whether it can be used

# Ends the script if something is missing that the guest or the driver needs, and says what to do.
own_check() { # KERNEL
	if [[ -d $1 ]]; then check_tree "$1"; else check_image "$1"; fi
	check_config "$(own_config "$1")"
}

# Either file is left by the same build; an image alone would be started, and load nothing.
check_tree() { # DIR
	local tree
	tree=$(own_tree "$1") || exit
	[[ -e $tree/.config ]] ||
		die "$tree has no .config: it is no tree in which a kernel was built" \
			"(of one built elsewhere O=DIR or KBUILD_OUTPUT=DIR says where)"
	check_config "$tree/.config"
	[[ -e $tree/arch/x86/boot/bzImage ]] ||
		die "$tree has no arch/x86/boot/bzImage, run: make -C $tree bzImage"
	[[ -e $tree/Module.symvers || $BHLAB_DRIVER ]] ||
		die "$tree has no Module.symvers, without which no module can be built," \
			"run: make -C $tree modules"
}

check_image() { # FILE
	[[ $(own_version "$1") ]] || die "$1 is not the image of a kernel"
	[[ -z $BHLAB_MODULES || $(own_modules "$1") ]] ||
		die "$BHLAB_MODULES has no modules.builtin of $(own_version "$1")"
	[[ $BHLAB_DRIVER || $(own_headers "$1") ]] ||
		die "there are no headers of $(own_version "$1") to build the driver with:" \
			"--headers DIR, or --driver FILE"
}

# What of bhlab.config is not in a configuration. VIRTIO_PCI and VIRTIO_CONSOLE may be modules, if
# we know where they are.
check_config() { # FILE
	local option file=$1
	local -a missing=()
	[[ $file ]] || return 0
	while read -r option; do
		grep -qxE "$option=y" "$file" ||
			{ [[ $option == CONFIG_VIRTIO_* ]] && grep -qx "$option=m" "$file"; } ||
			missing+=("$option")
	done < <(sed -n '/^# --- not checked/q; s/^\(CONFIG_[A-Z0-9_]*\)=y$/\1/p' \
		"$VM_DIR/bhlab.config")
	((${#missing[@]})) || return 0
	die "${missing[*]} $( ((${#missing[@]} == 1)) && echo is || echo are) not set in $file;" \
		"in the tree run: scripts/kconfig/merge_config.sh .config" \
		"$VM_DIR/bhlab.config && make"
}

# --- modules

# own_guest_modules KERNEL DIRECTORY MODULE…: copies the modules, and what they depend on, to
# DIRECTORY, unless they are built in
own_guest_modules() {
	local modules kernel=$1 to=$2 name file
	modules=$(own_modules "$kernel")
	shift 2
	for name; do
		[[ $modules ]] || continue # then all is believed to be built in
		! module_line "$name" "$modules/modules.builtin" >/dev/null || continue
		file=$(module_file "$name" "$modules") ||
			die "$name is neither built into $kernel nor a module in $modules"
		[[ ! -e $to/${file##*/} ]] || continue
		install -D -m 644 -t "$to" "$file"
		# shellcheck disable=SC2046 # words
		own_guest_modules "$kernel" "$to" $(in_toolbox "$to:/mnt" -- \
			modinfo -F depends "/mnt/${file##*/}" | tr ',' ' ')
	done
}

# The line of such a list that is the module's; - and _ are the same.
module_line() { # MODULE LIST
	grep -sE "(^|/)${1//[-_]/[-_]}\.k?o$" "$2"
}

module_file() { # MODULE DIRECTORY
	local line file
	line=$(module_line "$1" "$2/modules.order" | sed -E 's/\.k?o$//') || return
	for file in "$2/${line#kernel/}" "$2/$line"; do
		compgen -G "$file.ko*" | awk 'NR == 1' | grep . && return
	done
	return 1
}

# --- the driver

# compiler_of CONFIG: prints its command
compiler_of() {
	case $1 in
	*clang*) echo clang ;;
	*) echo "${1%% *}" ;;
	esac
}

first_line() { LC_ALL=C "$@" 2>/dev/null | awk 'NR == 1'; }

# Builds the driver in COPY as the kernel itself was built: by the same compiler, of this host or of
# the toolbox, whose programs in scripts/ run there too.
own_build_driver() { # KERNEL COPY
	local headers text compiler common
	local -a call
	headers=$(own_headers "$1")
	text=$(sed -n 's/^CONFIG_CC_VERSION_TEXT="\(.*\)"$/\1/p' "$headers/.config" 2>/dev/null) ||
		true
	compiler=$(compiler_of "${text:-gcc}")
	call=(make -C "$headers" W=1 --jobs="$(nproc)" CC="$compiler")
	[[ $compiler != clang ]] || call+=(LLVM=1)
	# a tree made with O=, and Debian's headers, read the rest elsewhere
	common=$(sed -n 's,^include \(/.*\)/Makefile$,\1,p' "$headers/Makefile" | awk 'NR == 1')
	if [[ ! $text || $text == "$(first_line "$compiler" --version)" ]]; then
		env -u O -u KBUILD_OUTPUT -u MAKEFLAGS -u MAKELEVEL \
			"${call[@]}" M="$2/driver" modules
	elif [[ $text == "$(first_line in_toolbox -- "$compiler" --version)" ]]; then
		in_toolbox "$headers:$headers" ${common:+"$common:$common"} "$2:/bhlab" -- \
			"${call[@]}" M=/bhlab/driver modules
	else
		echo "$headers was built by $text, which is neither on this host nor in the toolbox."
		echo "Build the driver by it, and name what comes out: --driver FILE"
		return 1
	fi
}
