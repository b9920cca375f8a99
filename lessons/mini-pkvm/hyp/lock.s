// The one lock. Whoever looks at page states, tables or VMs to decide something holds it from the look to the change:
// between the two another CPU could make the decision wrong. mini-pKVM runs on one CPU; it is written for more, and with
// CONFIG_LOCK_CONTENTION it can be shown what happens on more.

        .section .hyp.text
// Both keep every register but x15 to x17, and the flags.
hyp_spin_lock:
        .if     CONFIG_LOCK_CONTENTION
        ldr     x17, contender
        cbnz    x17, hyp_other_cpu_first
        .endif
        adr     x16, pkvm_lock
        mov     w15, #1
1:      ldaxr   w17, [x16]
        cbnz    w17, 1b
        stxr    w17, w15, [x16]
        cbnz    w17, 1b
        ret

hyp_spin_unlock:
        adr     x16, pkvm_lock
        stlr    wzr, [x16]
        ret

        .if     CONFIG_LOCK_CONTENTION
// The other CPU. The host may hand in two calls at once: one in x0 to x4 as always, and in x9 to x13 another, function id
// and arguments, that a second CPU would make at the same moment. Where the first asks for the lock it finds that the
// second was faster, and waits until that is done: so the second runs here, from its beginning to its end. Its result is
// in x10 for the host.

// take_contender: x19 = host_ctxt.
take_contender:
        adr     x1, contender
        str     xzr, [x1]
        ldr     x0, [x19, #8 * 9]
        mov     x2, #KVM_HOST_SMCCC_BASE
        sub     x0, x0, x2
        cmp     x0, #HOST_CALLS
        b.hs    1f
        cmp     x0, #HOST_CALL_FIRST_PKVM       // those take the lock and return
        b.lo    1f
        adr     x2, host_hcall
        ldrsw   x0, [x2, x0, lsl #2]
        cbz     x0, 1f
        add     x0, x0, x2
        str     x0, [x1]
        ldp     x2, x3, [x19, #8 * 10]
        stp     x2, x3, [x1, #8]
        ldp     x2, x3, [x19, #8 * 12]
        stp     x2, x3, [x1, #24]
1:      ret

hyp_other_cpu_first:                            // x17 = its function
        stp     x29, x30, [sp, #-112]!
        mov     x29, sp
        stp     x0, x1, [sp, #16]
        stp     x2, x3, [sp, #32]
        stp     x4, x5, [sp, #48]
        stp     x6, x7, [sp, #64]
        stp     x8, x9, [sp, #80]
        mrs     x16, nzcv
        str     x16, [sp, #96]
        adr     x16, contender
        str     xzr, [x16]
        ldp     x0, x1, [x16, #8]
        ldp     x2, x3, [x16, #24]
        blr     x17
        adr     x1, host_ctxt
        str     x0, [x1, #8 * 10]
        ldr     x16, [sp, #96]
        msr     nzcv, x16
        ldp     x8, x9, [sp, #80]
        ldp     x6, x7, [sp, #64]
        ldp     x4, x5, [sp, #48]
        ldp     x2, x3, [sp, #32]
        ldp     x0, x1, [sp, #16]
        ldp     x29, x30, [sp], #112
        b       hyp_spin_lock
        .endif
