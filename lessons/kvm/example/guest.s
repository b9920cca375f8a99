// A guest that keeps its memory to itself, except for one page.
//
// It has four pages of RAM at 0x40000000. Under pKVM each becomes the guest's own when the guest first touches it, and
// the host can no longer reach it. The guest asks the hypervisor to share one page back, and leaves a message there.

        .equ    PRIVATE,  0x40001000
        .equ    SHARED,   0x40002000
        .equ    SECRET,   0x40003000
        .equ    DOORBELL, 0x10000000            // no memory there: a store makes KVM_RUN return

        .equ    MEM_SHARE,  0xc6000003          // x1 = address of the page -> x0 = 0
        .equ    SYSTEM_OFF, 0x84000008          // PSCI

        .global _start
_start:
        ldr     x10, =PRIVATE
        ldr     x11, =0x5ec2e701
        str     x11, [x10]                      // this page is now the guest's
        ldr     x10, =SECRET
        str     x11, [x10]                      // and this one

        ldr     x0, =MEM_SHARE
        ldr     x1, =SHARED
        mov     x2, #0
        mov     x3, #0
        hvc     #0
        cbnz    x0, ring                        // refused: tell the host why

        ldr     x10, =SHARED
        adr     x11, message
1:      ldrb    w12, [x11], #1
        strb    w12, [x10], #1
        cbnz    w12, 1b

ring:   ldr     x10, =DOORBELL
        str     w0, [x10]                       // KVM_EXIT_MMIO with what MEM_SHARE said

        ldr     x0, =SYSTEM_OFF
        hvc     #0
        b       .

message:
        .asciz  "Hello, host. This page is for both of us."
