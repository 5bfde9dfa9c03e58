# shellcheck shell=bash
# shellcheck disable=SC2154 # lib.sh has these, and reads this file
# Kernels of Debian's packages: each is unpacked into a tree of its own in the cache, by its name in
# the table. To be sourced by lib.sh.

package_tree() { # NAME: where it lies, once for all that decides what it is
	local name hash
	name=$(kernel_base "$1")
	hash=$({
		kernel_row "$name" | cut -d' ' -f 1-4
		declare -f make_package unpack_packages unpack extract_elf
	} | sha256sum)
	echo "$CACHE/package-$name-${hash:0:12}"
}

# package_binds NAME: its parts, where its headers and modprobe look for them
package_binds() {
	local tree dir
	tree=$(package_tree "$1")
	printf '%s\n' "$tree:/kernel" "$tree/usr/src:/usr/src" \
		"$tree/usr/lib/modules:/usr/lib/modules"
	for dir in "$tree"/usr/lib/linux-kbuild-*; do echo "$dir:${dir#"$tree"}"; done
}

# --- which one

# archive SUITE COMMAND…: apt-get or apt-cache of the host, whose proxies and certificates work, on
# lists of this suite that are at most an hour old
archive() {
	local suite=$1 dir=$CACHE/apt/$1 lock uri
	local -a settings=(-o "Dir::Etc::SourceList=$dir/list" -o Dir::Etc::SourceParts=/dev/null
		-o "Dir::State=$dir" -o "Dir::Cache=$dir" -o APT::Architecture=amd64
		-o APT::Architectures=amd64 -o APT::Sandbox::User=)
	shift
	mkdir -p "$dir/lists/partial" "$dir/archives/partial"
	exec {lock}>"$dir/lock"
	flock "$lock"
	if [[ ! $(find "$dir/list" -mmin -60 2>/dev/null) ]]; then
		uri=$(debian_repository) || die "apt has no lists of a Debian archive yet," \
			"run: sudo apt-get update"
		echo "deb $uri $suite main" >"$dir/list.new"
		apt-get -qq "${settings[@]}" -o "Dir::Etc::SourceList=$dir/list.new" update
		mv "$dir/list.new" "$dir/list"
	fi
	exec {lock}>&-
	"$1" "${settings[@]}" "${@:2}"
}

# Of the packages on standard input what is really there; names that others only depend on are not.
madison() { # SUITE
	local -a names
	mapfile -t names
	archive "$1" apt-cache madison "${names[@]}"
}

# images SUITE: the names of the packages of images that have headers in the same suite
images() {
	archive "$1" apt-cache pkgnames linux- |
		grep -xE 'linux-(image|headers)-[0-9][^-]*(-[0-9]+)?(-rt)?-amd64' |
		madison "$1" | cut -d'|' -f 1 | tr -d ' ' | sort -u |
		awk '
			{ name = $0; sub(/^linux-[a-z]*-/, "", name) }
			/^linux-image-/ { images[name] }
			/^linux-headers-/ { headers[name] }
			END { for (name in images) if (name in headers) print "linux-image-" name }
		'
}

# choose_image NAME REGEX: of the images on standard input the newest whose whole name matches; or
# else, with a warning, the newest of the series that is nearest to that of NAME, 7.2 of 7.2-rt
choose_image() {
	local all image flavour=''
	all=$(sort -V)
	image=$(grep -xE "$2" <<<"$all" | tail -n 1) || true
	[[ $1 != *-rt ]] || flavour=-rt
	if [[ ! $image && $1 =~ ^[0-9] ]]; then
		image=$(nearest "${1%%-*}" "$flavour" <<<"$all")
		[[ ! $image ]] || say "the archive has no $1 with its headers any more:" \
			"${image#linux-image-} takes its place"
	fi
	echo "$image"
}

nearest() { # SERIES FLAVOUR: of the sorted images; of two that are as near the newer one
	awk -v wanted="$1" -v flavour="$2" '
		function place(series,   part) {
			split(series, part, ".")
			return part[1] * 100 + part[2]
		}
		{
			name = $0
			sub(/^linux-image-/, "", name)
			if ((name ~ /-rt-/) != (flavour == "-rt")) next
			distance = place(name) - place(wanted)
			if (distance < 0) distance = -distance
			if (best == "" || distance <= least) { best = $0; least = distance }
		}
		END { print best }'
}

# --- making it

make_package() { # TEMP NAME
	local suite regex image
	read -r _ suite regex _ < <(kernel_row "$2")
	prepare_host
	say "unpacking the kernel $2 of $suite (a minute, once)"
	mkdir -p "$1"/{debs,usr/src,usr/lib/modules}
	image=$(images "$suite" | choose_image "$2" "$regex")
	[[ $image ]] || die "no package matches $regex in $suite"
	echo "${image#linux-image-}" >"$1/version"
	quietly "$LOGS/package-$2" "cannot unpack the kernel $2" \
		unpack_packages "$1" "$suite" "$image"
}

closure() { # SUITE PACKAGE…: these and the kernel packages that they depend on
	printf '%s\n' "${@:2}"
	archive "$1" apt-cache depends --important --recurse "${@:2}" |
		sed -n 's/^ *|\?Depends: //p' |
		grep -E '^linux-(base|binary|modules|headers|kbuild)-[0-9]'
}

# Unpacked, not installed: maintainer scripts would write an initrd.
unpack_packages() { # TREE SUITE IMAGE
	local tree=$1 version deb image
	local -a packages
	version=$(<"$1/version")
	mapfile -t packages < <(closure "$2" "$3" "${3/image/headers}" |
		grep -v -- -unsigned | sort -u)
	(cd "$tree/debs" && archive "$2" apt-get -qq download "${packages[@]}")
	for deb in "$tree"/debs/*.deb; do unpack "$deb"; done
	image=$tree/boot/vmlinuz-$version
	[[ -e $image ]] || image=$tree/usr/lib/modules/$version/vmlinuz
	[[ -e $tree/lib/modules ]] && cp -al "$tree/lib/modules/." "$tree/usr/lib/modules/"
	cp "$image" "$tree/vmlinuz"
	extract_elf "$tree/vmlinuz" "$tree/vmlinux"
	rm -rf "${tree:?}"/{debs,boot,lib}
	in_toolbox "$tree:/bhlab" -- depmod -b /bhlab/usr "$version"
}

# The largest families of modules, of devices that no guest has, stay out.
unpack() { # DEB
	dpkg-deb --fsys-tarfile "$1" | tar -x -C "$tree" --exclude='./usr/share' \
		--exclude='*/kernel/sound' \
		--exclude='*/kernel/drivers/'{gpu,media,net,infiniband,scsi,staging}
}

# The kernel as an ELF file: QEMU starts it directly, and unpacking it under emulation would cost a
# second of every boot. The position of the payload is in the header of the boot protocol (setup
# sectors at 0x1f1, payload at 0x248 and 0x24c). The size of the kernel follows the stream and is no
# part of it, of which the programs complain.
extract_elf() { # VMLINUZ OUT
	local sectors offset length program
	sectors=$(od -An -tu1 -j $((0x1f1)) -N 1 "$1")
	read -r offset length < <(od -An -tu4 -j $((0x248)) -N 8 "$1")
	dd if="$1" of="$2.payload" bs=1M status=none iflag=skip_bytes,count_bytes \
		skip=$(((sectors + 1) * 512 + offset)) count="$length"
	case $(od -An -tx4 -N 4 "$2.payload") in
	*fd2fb528) program='zstd -dcq' ;;
	*587a37fd) program='xz -dc --single-stream' ;;
	*184c2102) program='lz4 -dcq' ;;
	esac
	in_toolbox "${2%/*}:/bhlab" -- sh -c "$program /bhlab/${2##*/}.payload" >"$2" 2>/dev/null ||
		true
	[[ -s $2 ]]
	rm "$2.payload"
}
