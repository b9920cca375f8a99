// Calls between the worlds: the host's to the hypervisor, and a guest's to the hypervisor.
//
// A call is `hvc #0` with x0 = the function id by the SMC Calling Convention, arguments in x1 and up. The hypervisor
// answers x0 = 0 (or -1: there is no such call, or not now) and x1 = the result, 0 or more, or a negative errno. All other
// registers keep their values. Addresses are physical: the host's own map is the identity.
//
// Numbers are those of Linux 7.2, `enum __kvm_host_smccc_func` in arch/arm64/include/asm/kvm_asm.h.

        .equ    KVM_HOST_SMCCC_BASE, 0xc6000000         // fast call, 64-bit, vendor specific hypervisor service

        .macro  host_call name, number
        .equ    __kvm_host_smccc_func.__KVM_HOST_SMCCC_FUNC_\name, \number
        .equ    __KVM_HOST_SMCCC_FUNC_\name, \number
        .endm

        host_call __pkvm_init, 1                        // x1 = start of the memory for EL2, x2 = its bytes (2 MB units)
        host_call __pkvm_prot_finalize, 7               // from here on the host runs under stage 2
        host_call __kvm_vcpu_run, 9                     // x1 = vCPU; result ARM_EXCEPTION_*
        host_call __pkvm_host_share_hyp, 0x1d           // x1 = pfn
        host_call __pkvm_host_unshare_hyp, 0x1e         // x1 = pfn
        host_call __pkvm_host_donate_guest, 0x1f        // x1 = pfn, x2 = gfn; into the loaded protected vCPU's VM
        host_call __pkvm_host_share_guest, 0x20         // x1 = pfn, x2 = gfn, x3 = 1, x4 = prot; loaded normal vCPU's VM
        host_call __pkvm_host_unshare_guest, 0x21       // x1 = handle, x2 = gfn, x3 = 1
        host_call __pkvm_reserve_vm, 0x26               // result: a handle
        host_call __pkvm_unreserve_vm, 0x27             // x1 = handle
        host_call __pkvm_init_vm, 0x28                  // x1 = struct kvm (shared), x2 = page, x3 = GUEST_PGD_PAGES pages
        host_call __pkvm_init_vcpu, 0x29                // x1 = handle, x2 = struct kvm_vcpu (shared), x3 = page
        host_call __pkvm_vcpu_in_poison_fault, 0x2a     // result: 1 when the loaded vCPU's last fault hit a poisoned entry
        host_call __pkvm_force_reclaim_guest_page, 0x2b // x1 = physical address of a page of a protected VM
        host_call __pkvm_reclaim_dying_guest_page, 0x2c // x1 = handle, x2 = gfn
        host_call __pkvm_start_teardown_vm, 0x2d        // x1 = handle
        host_call __pkvm_finalize_teardown_vm, 0x2e     // x1 = handle; its pages come back in kvm.arch.pkvm.teardown_mc
        host_call __pkvm_vcpu_load, 0x2f                // x1 = handle, x2 = index, x3 = HCR_EL2 (only TWI, TWE are taken)
        host_call __pkvm_vcpu_put, 0x30
        host_call __pkvm_tlb_flush_vmid, 0x31           // x1 = handle
        .equ    HOST_CALLS, 0x32
        .equ    HOST_CALL_FIRST_PKVM, 0x1d              // these and those after it need __pkvm_init before

// kvm_call_hyp name: arguments are in x1 to x4. x0 and x1 come back.
        .macro  kvm_call_hyp name
        mov     x0, #KVM_HOST_SMCCC_BASE
        add     x0, x0, #__KVM_HOST_SMCCC_FUNC_\name
        hvc     #0
        .endm

// A guest's calls, Documentation/virt/kvm/arm/hypercalls.rst. A protected guest's are answered at EL2; everything else a
// guest asks for goes to the host. Results: x0 = 0 or more, -1 not supported, -3 invalid parameter.
        .equ    ARM_SMCCC_VENDOR_HYP_KVM_FEATURES_FUNC_ID, 0x86000000
        .equ    ARM_SMCCC_VENDOR_HYP_KVM_HYP_MEMINFO_FUNC_ID, 0xc6000002
        .equ    ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID, 0xc6000003
        .equ    ARM_SMCCC_VENDOR_HYP_KVM_MEM_UNSHARE_FUNC_ID, 0xc6000004
        .equ    SMCCC_RET_INVALID_PARAMETER, -3
        .equ    PVM_FEATURES, 0x1d                      // features, meminfo, share, unshare
