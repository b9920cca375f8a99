// The ways into EL2. Two tables: one is in force while the host runs, the other while a guest runs.
// Exceptions of EL2 itself have no way back: the hypervisor has a bug.

        .macro  panic_vector number
        .balign 128
        mov     x0, #\number
        b       hyp_panic_exception
        .endm

        .macro  host_vector
        .balign 128
        stp     x0, x1, [sp, #-16]!
        b       host_trap
        .endm

        .macro  guest_vector code
        .balign 128
        stp     x0, x1, [sp, #-16]!
        mov     x1, #\code
        b       __guest_exit
        .endm

        .section .hyp.text
        .balign 2048
__kvm_hyp_host_vector:
        .irp    number, 0, 1, 2, 3, 4, 5, 6, 7          // from EL2: synchronous, IRQ, FIQ, SError; with SP_EL0, with SP_EL2
        panic_vector \number
        .endr
        host_vector                                     // from EL1 or EL0, AArch64: synchronous
        .irp    number, 9, 10, 11                       // interrupts of the host go to EL1
        panic_vector \number
        .endr
        host_vector                                     // AArch32
        .irp    number, 13, 14, 15
        panic_vector \number
        .endr

        .balign 2048
__kvm_hyp_vector:
        .irp    number, 0, 1, 2, 3, 4, 5, 6, 7
        panic_vector \number
        .endr
        .rept   2                                       // AArch64, AArch32
        guest_vector ARM_EXCEPTION_TRAP
        guest_vector ARM_EXCEPTION_IRQ
        guest_vector ARM_EXCEPTION_IRQ                  // FIQ: the host finds out
        guest_vector ARM_EXCEPTION_EL1_SERROR
        .endr
