# SPDX-License-Identifier: MIT
SUMMARY = "DMA blocks for user space, a kernel module over dmaengine"
SECTION = "kernel/modules"
LICENSE = "GPL-2.0-only"
LIC_FILES_CHKSUM = "file://../../LICENSES/GPL-2.0.txt;md5=b234ee4d69f5fce4486a80fdaf4a4263"

inherit module useradd

FILESEXTRAPATHS:prepend := "${PLUMBLINE_CHECKOUT}:"
SRC_URI = "file://driver/kernel file://LICENSES/GPL-2.0.txt"
# UNPACKDIR is new in styhead
S = "${@d.getVar('UNPACKDIR') or d.getVar('WORKDIR')}/driver/kernel"

# the Makefile takes the folder of the kernel as KDIR
EXTRA_OEMAKE += "KDIR=${STAGING_KERNEL_DIR}"

# members can make the logic read and write driver-owned memory
USERADD_PACKAGES = "${PN}"
GROUPADD_PARAM:${PN} = "--system pldma"

do_install:append() {
    install -d ${D}${nonarch_base_libdir}/udev/rules.d
    install -m 0644 ${S}/70-pldma.rules ${D}${nonarch_base_libdir}/udev/rules.d/
}

FILES:${PN} += "${nonarch_base_libdir}/udev/rules.d/70-pldma.rules"
