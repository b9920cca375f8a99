// mini-pKVM: a kernel at EL1 and a hypervisor at EL2 that it does not have to be trusted by. One Image holds both, as
// Linux's does. README.md says where to begin.

        .text
// The header of an arm64 Image, Documentation/arch/arm64/booting.rst
        b       primary_entry
        .word   0
        .quad   0                               // text_offset
        .quad   _end - _text                    // image_size
        .quad   0xa                             // flags: little-endian, 4 KB pages, anywhere in RAM
        .skip   24
        .ascii  "ARM\x64"
        .word   0

        .include "include/macros.s"
        .include "include/constants.s"
        .include "include/hypercalls.s"
        .include "include/structs.s"
        .include "hyp/hyp.s"
        .include "host/host.s"
