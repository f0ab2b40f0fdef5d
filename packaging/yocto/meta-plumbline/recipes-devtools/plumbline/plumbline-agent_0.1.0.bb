# SPDX-License-Identifier: MIT
SUMMARY = "Makes the calls of a board for Plumbline on a desk"
SECTION = "devel"
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://LICENSE;md5=115e23deef72d5eb5b2f92fbb3c4bc97"

FILESEXTRAPATHS:prepend := "${PLUMBLINE_CHECKOUT}:"
SRC_URI = "file://driver/agent file://driver/kernel/uapi/pldma.h file://LICENSE"
# UNPACKDIR is new in styhead
S = "${@d.getVar('UNPACKDIR') or d.getVar('WORKDIR')}"

# Yocto's own flags in place of a static link: the image has a C library
EXTRA_OEMAKE = "'CC=${CC}' 'CFLAGS=${CFLAGS}' 'LDFLAGS=${LDFLAGS}'"

do_compile() {
    oe_runmake -C ${S}/driver/agent
}

do_install() {
    install -d ${D}${bindir}
    install -m 0755 ${S}/driver/agent/plumbline-agent ${D}${bindir}/
}

RRECOMMENDS:${PN} = "kernel-module-pldma"
