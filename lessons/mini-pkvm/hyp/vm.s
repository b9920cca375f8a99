// The table of VMs. A VM has a handle, HANDLE_OFFSET + its slot, from KVM_CREATE_VM on; the hypervisor's own structures
// for it live in pages that the host donates at the first run.

        .section .hyp.text
// vm_slot: x0 = handle; x0 = address of its slot, or 0.
vm_slot:
        sub     x0, x0, #HANDLE_OFFSET
        cmp     x0, #KVM_MAX_PVMS
        b.hs    9f
        ldr     x1, vm_table
        add     x0, x1, x0, lsl #3
        ret
9:      mov     x0, #0
        ret

// get_vm_by_handle: x0 = handle; x0 = pkvm_hyp_vm, or 0 when there is none. Uses x1 and x3.
get_vm_by_handle:
        mov     x3, x30
        bl      vm_slot
        cbz     x0, 9f
        ldr     x0, [x0]
        ldr     x1, =RESERVED_ENTRY
        cmp     x0, x1
        csel    x0, xzr, x0, eq
9:      ret     x3

// __pkvm_reserve_vm(): a handle, or -ENOMEM when all are taken.
__pkvm_reserve_vm:
        frame   0
        bl      hyp_spin_lock
        ldr     x1, vm_table
        mov     x0, #0
1:      ldr     x2, [x1, x0, lsl #3]
        cbz     x2, 2f
        add     x0, x0, #1
        cmp     x0, #KVM_MAX_PVMS
        b.lo    1b
        mov     x0, #-ENOMEM
        b       9f
2:      ldr     x2, =RESERVED_ENTRY
        str     x2, [x1, x0, lsl #3]
        add     x0, x0, #HANDLE_OFFSET
9:      bl      hyp_spin_unlock
        unframe 0

// __pkvm_unreserve_vm(handle): a VM that never ran.
__pkvm_unreserve_vm:
        frame   0
        bl      hyp_spin_lock
        bl      vm_slot
        mov     x2, x0
        mov     x0, #-ENOENT
        cbz     x2, 9f
        ldr     x1, [x2]
        ldr     x3, =RESERVED_ENTRY
        cmp     x1, x3
        b.ne    9f
        str     xzr, [x2]
        mov     x0, #0
9:      bl      hyp_spin_unlock
        unframe 0

// __pkvm_init_vm(host_kvm, vm, pgd): x0 = the host's struct kvm in a shared page, x1 = a page for pkvm_hyp_vm,
// x2 = GUEST_PGD_PAGES pages for the first tables of the guest's stage 2.
__pkvm_init_vm:
        frame   4
        mov     x20, x1                         // page
        mov     x21, x2                         // pgd
        bl      hyp_spin_lock
        mov     x1, #kvm.sizeof
        bl      hyp_pin_shared_mem
        tbnz    x0, #63, 9f
        mov     x19, x0                         // struct kvm

        // Read once what the host could change between the check and the use.
        ldr     x24, [x19, #kvm.arch.pkvm.handle]
        ldr     x25, [x19, #kvm.created_vcpus]
        ldr     x26, [x19, #kvm.arch.pkvm.is_protected]
        mov     x0, x24
        bl      vm_slot
        mov     x22, x0                         // slot
        mov     x0, #-EINVAL
        cbz     x22, 8f
        ldr     x1, [x22]
        ldr     x2, =RESERVED_ENTRY
        cmp     x1, x2
        b.ne    8f
        sub     x1, x25, #1
        cmp     x1, #MINI_MAX_VCPUS
        b.hs    8f
        cmp     x26, #0
        cset    x26, ne
        ldr     x1, kvm_protected_mode_initialized
        cmp     x26, x1                         // nobody is protected before the host is held
        b.hi    8f
        tst     x21, #GUEST_PGD_PAGES * PAGE_SIZE - 1
        b.ne    8f

        mov     x0, x20
        bl      __pkvm_host_donate_hyp
        cbnz    x0, 8f
        mov     x0, x21
        bl      __pkvm_host_donate_hyp
        cbnz    x0, 7f
        add     x0, x21, #PAGE_SIZE
        bl      __pkvm_host_donate_hyp
        cbnz    x0, 6f

        hyp_va  x23, x20, x0                    // pkvm_hyp_vm
        mov     x0, x23
        bl      clear_page
        hyp_va  x0, x21, x1
        bl      clear_page
        bl      clear_page
        str     x24, [x23, #pkvm_hyp_vm.kvm.arch.pkvm.handle]
        str     x25, [x23, #pkvm_hyp_vm.kvm.created_vcpus]
        str     x26, [x23, #pkvm_hyp_vm.kvm.arch.pkvm.is_protected]
        str     x21, [x23, #pkvm_hyp_vm.kvm.arch.mmu.pgd_phys]
        ldr     x0, =STAGE2_VTCR
        str     x0, [x23, #pkvm_hyp_vm.kvm.arch.mmu.vtcr]
        sub     x0, x24, #HANDLE_OFFSET - 1     // VMID 0 is the host's
        str     x0, [x23, #pkvm_hyp_vm.kvm.arch.mmu.vmid]
        str     x19, [x23, #pkvm_hyp_vm.host_kvm]
        str     x23, [x22]
        mov     x0, #0
        b       9f

        // What was taken goes back, in the other order.
6:      mov     x24, x0
        mov     x0, x21
        bl      __pkvm_hyp_donate_host
        mov     x0, x24
7:      mov     x24, x0
        mov     x0, x20
        bl      __pkvm_hyp_donate_host
        mov     x0, x24
8:      mov     x24, x0
        mov     x0, x19
        bl      hyp_unpin_shared_mem
        mov     x0, x24
9:      bl      hyp_spin_unlock
        unframe 4

// __pkvm_init_vcpu(handle, host_vcpu, vcpu): x1 = the host's struct kvm_vcpu in a shared page, x2 = a page.
__pkvm_init_vcpu:
        frame   4
        mov     x20, x1
        mov     x21, x2
        bl      hyp_spin_lock
        bl      get_vm_by_handle
        mov     x22, x0                         // pkvm_hyp_vm
        mov     x0, #-ENOENT
        cbz     x22, 9f
        mov     x0, #-EINVAL
        ldr     x1, [x22, #pkvm_hyp_vm.kvm.arch.pkvm.is_dying]
        cbnz    x1, 9f
        mov     x0, x20
        mov     x1, #kvm_vcpu.sizeof
        bl      hyp_pin_shared_mem
        tbnz    x0, #63, 9f
        mov     x19, x0                         // struct kvm_vcpu
        ldr     x23, [x19, #kvm_vcpu.vcpu_idx]
        ldr     x1, [x22, #pkvm_hyp_vm.kvm.created_vcpus]
        mov     x0, #-EINVAL
        cmp     x23, x1
        b.hs    8f
        add     x24, x22, x23, lsl #3
        ldr     x1, [x24, #pkvm_hyp_vm.vcpus]
        cbnz    x1, 8f
        mov     x0, x21
        bl      __pkvm_host_donate_hyp
        cbnz    x0, 8f
        hyp_va  x25, x21, x0
        mov     x0, x25
        bl      clear_page
        str     x23, [x25, #pkvm_hyp_vcpu.vcpu + kvm_vcpu.vcpu_idx]
        str     x19, [x25, #pkvm_hyp_vcpu.host_vcpu]
        str     x22, [x25, #pkvm_hyp_vcpu.vm]
        str     x25, [x24, #pkvm_hyp_vm.vcpus]
        mov     x0, #0
        b       9f
8:      mov     x24, x0
        mov     x0, x19
        bl      hyp_unpin_shared_mem
        mov     x0, x24
9:      bl      hyp_spin_unlock
        unframe 4

// __pkvm_vcpu_load(handle, index, hcr_el2): the vCPU that the host's next calls are about.
__pkvm_vcpu_load:
        frame   1
        mov     x19, x1
        mov     x20, x2
        bl      hyp_spin_lock
        bl      get_vm_by_handle
        mov     x2, x0
        mov     x0, #-ENOENT
        cbz     x2, 9f
        mov     x0, #-EBUSY
        ldr     x1, loaded_hyp_vcpu
        cbnz    x1, 9f
        mov     x0, #-EINVAL
        ldr     x1, [x2, #pkvm_hyp_vm.kvm.arch.pkvm.is_dying]
        cbnz    x1, 9f
        cmp     x19, #MINI_MAX_VCPUS
        b.hs    9f
        add     x1, x2, x19, lsl #3
        ldr     x1, [x1, #pkvm_hyp_vm.vcpus]
        mov     x0, #-ENOENT
        cbz     x1, 9f
        and     x20, x20, #HCR_TWI | HCR_TWE
        mov     x2, #HCR_GUEST & 0xffff
        movk    x2, #(HCR_GUEST >> 16) & 0xffff, lsl #16
        orr     x20, x20, x2
        str     x20, [x1, #pkvm_hyp_vcpu.hcr_el2]
        str     x1, [x1, #pkvm_hyp_vcpu.loaded_hyp_vcpu]
        adr     x2, loaded_hyp_vcpu
        str     x1, [x2]
        mov     x0, #0
9:      bl      hyp_spin_unlock
        unframe 1

// __pkvm_vcpu_put()
__pkvm_vcpu_put:
        frame   0
        bl      hyp_spin_lock
        mov     x0, #-EINVAL
        adr     x2, loaded_hyp_vcpu
        ldr     x1, [x2]
        cbz     x1, 9f
        str     xzr, [x1, #pkvm_hyp_vcpu.loaded_hyp_vcpu]
        str     xzr, [x2]
        mov     x0, #0
9:      bl      hyp_spin_unlock
        unframe 0

// __pkvm_tlb_flush_vmid(handle)
__pkvm_tlb_flush_vmid:
        frame   0
        bl      hyp_spin_lock
        bl      get_vm_by_handle
        mov     x1, x0
        mov     x0, #-ENOENT
        cbz     x1, 9f
        mov     x0, x1
        bl      vm_vttbr
        bl      tlb_flush_vmid
        mov     x0, #0
9:      bl      hyp_spin_unlock
        unframe 0
        .ltorg
