#!/bin/bash
# Builds the Lambda's zip.
#
#     ./package.sh [--upload BUCKET]
#
# Writes dist/stackcert-lambda-<arch>.zip with `bootstrap` and `NOTICE`, and beside it the list of what it was made of.
# The same sources, toolchain and packages give the same bytes, wherever the clone lies. Refuses a program that Amazon
# Linux 2023 could not load. Prints the zip's size and hash, and its path as the last line.
#
# --upload copies the zip to s3://BUCKET/stackcert/<sha256>/stackcert-lambda-<arch>.zip, a key that never changes its
# meaning, and prints the two parameters of templates/provider.yml that name it. AWS_ENDPOINT_URL, AWS_PROFILE and the
# rest are the AWS CLI's.
set -euo pipefail
cd "$(dirname "$0")"
export LC_ALL=C TZ=UTC
umask 022

bucket=
case "${1-}" in
"") ;;
--upload) bucket=${2:?--upload needs a bucket} ;;
*)
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
    ;;
esac

case "$(uname -m)" in
x86_64) arch=x86_64 ;;
aarch64 | arm64) arch=arm64 ;;
*)
    echo "package.sh: Lambda has no $(uname -m)" >&2
    exit 1
    ;;
esac

name=stackcert-lambda-$arch
work=dist/$name
rm -rf "$work" "dist/$name.zip"
mkdir -p "$work"

# What the linker finds here it does not look for elsewhere. libstdc++ is linked in: what is left to be loaded is glibc
# and libgcc, and a millisecond of start. zlib is named by a package that does not use it any more.
mkdir "$work/lib"
ln -s "$(gcc -print-file-name=libstdc++.a)" "$work/lib/libstdc++.a"
ar rc "$work/lib/libz.a"

flags=(
    --configuration release --product StackCertLambda --static-swift-stdlib --disable-local-rpath
    # Size before speed: the zip is fetched at a cold start, and keys are made by BoringSSL's assembler either way.
    -Xswiftc -Osize
    # A section per function, and no symbol kept for others: the linker drops what nobody calls.
    -Xswiftc -Xfrontend -Xswiftc -function-sections -Xcc -ffunction-sections -Xcc -fdata-sections
    -Xlinker --gc-sections -Xlinker --no-export-dynamic
    # Of identical functions, which generic code makes many of, one is kept.
    -Xswiftc -use-ld=lld -Xlinker --icf=all
    -Xswiftc "-L$work/lib"
    # Nothing of the clone's path may be in the program.
    -Xcc "-ffile-prefix-map=$PWD=." -Xswiftc -file-prefix-map -Xswiftc "$PWD=."
    # Otherwise the compiler keeps an object when its input is the same but these flags are not, and leaves a hash of
    # its input, paths included, in the program.
    -Xswiftc -Xfrontend -Xswiftc -disable-incremental-llvm-codegen
    -Xlinker --build-id=none
    -Xlinker --cref -Xlinker "-Map=$work/link.map"
)
echo "Building (a first build takes five minutes and more) …"
swift build "${flags[@]}" >&2
program=$(swift build "${flags[@]}" --show-bin-path)/StackCertLambda

strip --strip-all --remove-section=.comment -o "$work/bootstrap" "$program"
python3 Tools/check_loader.py --symbols "$program" --cross-reference "$work/link.map" "$work/bootstrap" \
    >"$work/demands.txt"
if grep -aFq "$PWD" "$work/bootstrap"; then
    echo "package.sh: the program holds this clone's path, $PWD: its hash would depend on it" >&2
    exit 1
fi
python3 Tools/make_zip.py "$work/$name.zip" "bootstrap=$work/bootstrap" NOTICE=NOTICE:644
mv "$work/$name.zip" "dist/$name.zip"
{
    swift --version 2>/dev/null | head -n1
    python3 -c '
import json
for pin in sorted(json.load(open("Package.resolved"))["pins"], key=lambda pin: pin["identity"]):
    print(pin["identity"], pin["state"].get("version") or pin["state"]["revision"])'
} >"dist/$name.resolved.txt"

size=$(stat -c %s "dist/$name.zip")
sha256=$(sha256sum "dist/$name.zip" | cut -d' ' -f1)
echo "Made of:"
sed 's/^/  /' "dist/$name.resolved.txt"
echo "The loader's demands:"
sed 's/^/  /' "$work/demands.txt"
printf 'Program: %d bytes, zip: %d bytes (%d.%02d MB)\n' \
    "$(stat -c %s "$work/bootstrap")" "$size" $((size / 1000000)) $((size / 10000 % 100))
echo "sha256: $sha256"
if [[ -n $bucket ]]; then
    key=stackcert/$sha256/$name.zip
    PATH="$PWD/.venv/bin:$PATH" aws s3 cp --only-show-errors "dist/$name.zip" "s3://$bucket/$key" >&2
    echo "CodeS3Bucket: $bucket"
    echo "CodeS3Key: $key"
fi
echo "dist/$name.zip"
