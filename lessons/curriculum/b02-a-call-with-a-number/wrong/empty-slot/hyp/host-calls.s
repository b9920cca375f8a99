// The host's calls: numbers to functions. A function gets x1 to x4 of the call as x0 to x3; what it returns goes to x1.

        .macro  host_call_entry name
        .org    host_hcall + 4 * __KVM_HOST_SMCCC_FUNC_\name
        .word   \name - host_hcall
        .endm

        .section .hyp.rodata
        .balign 8
host_hcall:                                     // by number: distance to the function, 0: there is none
        host_call_entry __pkvm_init
        host_call_entry __pkvm_prot_finalize
        host_call_entry __kvm_vcpu_run
        host_call_entry __pkvm_host_share_hyp
        host_call_entry __pkvm_host_unshare_hyp
        host_call_entry __pkvm_host_donate_guest
        host_call_entry __pkvm_host_share_guest
        host_call_entry __pkvm_host_unshare_guest
        host_call_entry __pkvm_reserve_vm
        host_call_entry __pkvm_unreserve_vm
        host_call_entry __pkvm_init_vm
        host_call_entry __pkvm_init_vcpu
        host_call_entry __pkvm_vcpu_in_poison_fault
        host_call_entry __pkvm_force_reclaim_guest_page
        host_call_entry __pkvm_reclaim_dying_guest_page
        host_call_entry __pkvm_start_teardown_vm
        host_call_entry __pkvm_finalize_teardown_vm
        host_call_entry __pkvm_vcpu_load
        host_call_entry __pkvm_vcpu_put
        host_call_entry __pkvm_tlb_flush_vmid
        .org    host_hcall + 4 * HOST_CALLS

        .section .hyp.text
handle_host_hcall:                              // x19 = host_ctxt
        ldr     x0, [x19]
        and     x1, x0, #~0x1ffff               // bit 16 is only a hint
        mov     x2, #KVM_HOST_SMCCC_BASE
        cmp     x1, x2
        b.ne    unknown_host_hcall
        and     x0, x0, #0xffff
        cmp     x0, #HOST_CALLS
        b.hs    unknown_host_hcall
        // The calls of initialisation end with __pkvm_prot_finalize, the others begin with __pkvm_init.
        cmp     x0, #__KVM_HOST_SMCCC_FUNC___pkvm_prot_finalize
        b.hs    1f
        ldr     x1, kvm_protected_mode_initialized
        cbnz    x1, unknown_host_hcall
        b       2f
1:      ldr     x1, pkvm_initialized
        cbz     x1, unknown_host_hcall
2:      adr     x2, host_hcall
        ldrsw   x1, [x2, x0, lsl #2]
        add     x9, x2, x1
        .if     CONFIG_LOCK_CONTENTION
        mov     x20, x9
        bl      take_contender
        mov     x9, x20
        .endif
        ldp     x0, x1, [x19, #8]
        ldp     x2, x3, [x19, #24]
        blr     x9
host_call_done:                                 // x0 = result
        adr     x19, host_ctxt
        stp     xzr, x0, [x19]
        b       host_exit

unknown_host_hcall:
        mov     x0, #SMCCC_RET_NOT_SUPPORTED
        str     x0, [x19]
        b       host_exit
