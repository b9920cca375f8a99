// What happens when nothing can go on, the taint, and the way out.

        .equ    TAINT_USER, 6
        .equ    PSCI_SYSTEM_RESET, 0x84000009

        .data
        .balign 8
tainted_mask:                                   // one bit for each reason not to trust a bug report of this kernel
        .quad   0
        .text

// add_taint: x0 = bit.
add_taint:
        mov     x1, #1
        lsl     x1, x1, x0
        adr     x2, tainted_mask
        ldr     x3, [x2]
        orr     x3, x3, x1
        str     x3, [x2]
        ret

// panic: x0 = why. Does not return. The machine sleeps: it is not switched off, so that it can be looked at.
panic:
        stp     x29, x30, [sp, #-32]!
        mov     x29, sp
        str     x0, [sp, #16]
        print   "Kernel panic - not syncing: "
        ldr     x0, [sp, #16]
        bl      printk
        print   "\n"
        msr     cntp_ctl_el0, xzr
1:      wfi
        b       1b

// power_off, machine_restart: do not return.
power_off:
        ldr     w0, =PSCI_SYSTEM_OFF
        b       1f
machine_restart:
        ldr     w0, =PSCI_SYSTEM_RESET
1:      ldr     x1, psci_by_hvc
        cbnz    x1, 2f
        smc     #0
        b       3f
2:      hvc     #0
3:      adr     x0, still_on
        b       panic

        .section .rodata
still_on:       .asciz "the firmware does not switch the machine off"
        .text
