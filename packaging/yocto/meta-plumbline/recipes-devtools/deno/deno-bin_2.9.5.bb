# SPDX-License-Identifier: MIT
# Deno as its authors published it. Building it would need Rust, V8 and hours.
SUMMARY = "Deno, prebuilt"
SECTION = "devel"
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://LICENSES/MIT.txt;md5=115e23deef72d5eb5b2f92fbb3c4bc97"

require recipes-devtools/plumbline/plumbline-tarball.inc

do_install() {
    install -d ${D}${bindir}
    install -m 0755 ${S}/bin/deno ${D}${bindir}/deno
}

# it is for glibc, and its bytes must stay as they are
COMPATIBLE_HOST:libc-musl = "null"
RDEPENDS:${PN} = "glibc libgcc"
INHIBIT_PACKAGE_STRIP = "1"
INHIBIT_SYSROOT_STRIP = "1"
INHIBIT_PACKAGE_DEBUG_SPLIT = "1"
INSANE_SKIP:${PN} = "already-stripped ldflags file-rdeps"
