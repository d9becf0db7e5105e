#!/bin/bash
# Builds the Lambda's zip, and the one with the command for people and servers.
#
#     ./package.sh [--upload BUCKET]
#
# Writes dist/templates/*.yml, the templates without their comments, and beside them provider-import.yml, with which
# docs/runbook.md takes over what an earlier installation left; dist/stackcert-<arch>.zip with `stackcert`, its systemd
# units and `NOTICE`; dist/stackcert-lambda-<arch>.zip with `bootstrap` and `NOTICE`; and the list of what they were made
# of. The same sources, toolchain and packages give the same bytes, wherever the clone lies. Refuses a program that
# Amazon Linux 2023 could not load. Prints the zips' sizes and hashes, and the path of the Lambda's as the last line.
#
# --upload copies each file to s3://BUCKET/stackcert/<sha256>/<name>, a key that never changes its meaning. It prints the
# three parameters of provider.yml that name the zips, and the address of a console page that creates the provider's
# stack from them. Lambda takes a zip only from a bucket of the function's own region: upload once for each region.
# AWS_ENDPOINT_URL, AWS_PROFILE and the rest are the AWS CLI's.
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

work=dist/work
rm -rf "$work" dist/stackcert-*
mkdir -p "$work/lib"

# What the linker finds here it does not look for elsewhere. libstdc++ is linked in: what is left to be loaded is glibc
# and libgcc, and a millisecond of start. zlib is named by a package that does not use it any more.
ln -s "$(gcc -print-file-name=libstdc++.a)" "$work/lib/libstdc++.a"
ar rc "$work/lib/libz.a"

# The same for both programs: with others everything would be compiled again.
flags=(
    --configuration release --static-swift-stdlib --disable-local-rpath
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

# pack PRODUCT PROGRAM ZIP [MEMBER]...: builds the product, and puts its program and the members into dist/ZIP.
pack() {
    local product=$1 program=$2 zip=$3 built
    shift 3
    built=$(swift build "${flags[@]}" --show-bin-path)/$product
    # Linked anew each time: the linker writes what is checked below.
    rm -f "$built"
    swift build "${flags[@]}" --product "$product" >&2
    strip --strip-all --remove-section=.comment -o "$work/$program" "$built"
    python3 Tools/check_loader.py --symbols "$built" --cross-reference "$work/link.map" "$work/$program" \
        >"$work/demands.txt"
    if grep -aFq "$PWD" "$work/$program"; then
        echo "package.sh: $program holds this clone's path, $PWD: its hash would depend on it" >&2
        exit 1
    fi
    python3 Tools/make_zip.py "$work/$zip" "$program=$work/$program" NOTICE=NOTICE:644 "$@"
    mv "$work/$zip" "dist/$zip"
    sha256=$(sha256sum "dist/$zip" | cut -d' ' -f1)
    local bytes
    bytes=$(stat -c %s "dist/$zip")
    echo "$zip"
    printf '  Program: %d bytes, zip: %d bytes (%d.%02d MB)\n' \
        "$(stat -c %s "$work/$program")" "$bytes" $((bytes / 1000000)) $((bytes / 10000 % 100))
    echo "  The loader's demands:"
    sed 's/^/    /' "$work/demands.txt"
    echo "  sha256: $sha256"
}

aws() { PATH="$PWD/.venv/bin:$PATH" command aws "$@"; }

# upload FILE: copies dist/FILE to a key that says what is in it. Leaves the key in $key.
upload() {
    key=stackcert/$(sha256sum "dist/$1" | cut -d' ' -f1)/${1##*/}
    aws s3 cp --only-show-errors "dist/$1" "s3://$bucket/$key" >&2
}

# upload_zip ZIP PARAMETER: copies it, and remembers it as a parameter of provider.yml.
upload_zip() {
    upload "$1"
    parameters+="$2: $key"$'\n'
    query+="&param_$2=$key"
}

# upload_templates: copies them, and remembers the address of the console's page for provider.yml.
upload_templates() {
    local region template suffix=amazonaws.com
    region=$(aws s3api get-bucket-location --bucket "$bucket" --query LocationConstraint --output text)
    [[ $region != None && $region != null ]] || region=us-east-1
    [[ $region != cn-* ]] || suffix=amazonaws.com.cn
    for template in dist/templates/*.yml; do
        upload "templates/${template##*/}"
        templates+="  https://$bucket.s3.$region.$suffix/$key"$'\n'
        [[ $template != */provider.yml ]] || provider=https://$bucket.s3.$region.$suffix/$key
    done
    console="https://console.aws.amazon.com/cloudformation/home?region=$region#/stacks/quickcreate"
    console+="?templateURL=$provider&stackName=stackcert$query"
}

parameters="CodeS3Bucket: $bucket"$'\n'
query="&param_CodeS3Bucket=$bucket&param_Architecture=$arch"
templates='' provider='' console=''
rm -rf dist/templates
python3 Tools/publish_templates.py dist/templates templates/*.yml
python3 Tools/make_import_template.py templates/provider.yml >dist/templates/provider-import.yml
echo "Building (a first build takes five minutes and more) …"
command=stackcert-$arch.zip
pack stackcert stackcert "$command" \
    stackcert-pull.service=docs/systemd/stackcert-pull.service:644 stackcert-pull.timer=docs/systemd/stackcert-pull.timer:644
[[ -z $bucket ]] || upload_zip "$command" CommandS3Key
function=stackcert-lambda-$arch.zip
pack StackCertLambda bootstrap "$function"
[[ -z $bucket ]] || upload_zip "$function" CodeS3Key

{
    swift --version 2>/dev/null | head -n1
    python3 -c '
import json
for pin in sorted(json.load(open("Package.resolved"))["pins"], key=lambda pin: pin["identity"]):
    print(pin["identity"], pin["state"].get("version") or pin["state"]["revision"])'
} >"dist/stackcert-$arch.resolved.txt"
echo "Made of:"
sed 's/^/  /' "dist/stackcert-$arch.resolved.txt"
if [[ -n $bucket ]]; then
    upload_templates
    echo "Templates, for --template-url:"
    printf %s "$templates"
    echo "Create the provider's stack in the console:"
    echo "  $console"
    printf %s "$parameters"
fi
echo "dist/$function"
