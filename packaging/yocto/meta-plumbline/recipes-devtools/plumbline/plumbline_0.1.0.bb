# SPDX-License-Identifier: MIT
SUMMARY = "Tests FPGA DMA on the board itself"
SECTION = "devel"
LICENSE = "MIT & GPL-2.0-only"
LIC_FILES_CHKSUM = "file://LICENSE;md5=115e23deef72d5eb5b2f92fbb3c4bc97 \
    file://LICENSES/GPL-2.0.txt;md5=b234ee4d69f5fce4486a80fdaf4a4263"

require recipes-devtools/plumbline/plumbline-tarball.inc

do_install() {
    install -d ${D}${libdir}/plumbline ${D}${bindir}
    cp -R --no-preserve=ownership ${S}/. ${D}${libdir}/plumbline/
    # the package deno-bin has it
    rm -rf ${D}${libdir}/plumbline/bin
    ln -rs ${D}${libdir}/plumbline/plumbline ${D}${bindir}/plumbline
}

RDEPENDS:${PN} = "deno-bin"
RRECOMMENDS:${PN} = "kernel-module-pldma"
# sources of programs for other machines are data here
INSANE_SKIP:${PN} = "file-rdeps"
