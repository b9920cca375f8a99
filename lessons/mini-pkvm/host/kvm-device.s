// /dev/kvm: what KVM is and can do, and making VMs.

open_kvm:
        mov     x2, x0
        ldr     x0, kvm_usable
        cbz     x0, 1f
        mov     x0, #FILE_KVM
        mov     x1, #0
        b       open_as
1:      mov     x0, #-ENOENT
        ret

// kvm_dev_ioctl: x0 = file, x1 = request, x2 = argument.
kvm_dev_ioctl:
        enter
        mov     x19, x2
        ldr     w3, =KVM_GET_API_VERSION
        sub     w1, w1, w3
        cmp     w1, #KVM_CREATE_VM - KVM_GET_API_VERSION
        b.eq    2f
        cmp     w1, #KVM_CHECK_EXTENSION - KVM_GET_API_VERSION
        b.eq    3f
        cbnz    x19, 8f
        cbz     w1, 1f
        cmp     w1, #KVM_GET_VCPU_MMAP_SIZE - KVM_GET_API_VERSION
        b.ne    8f
        mov     x0, #2 * PAGE_SIZE              // struct kvm_run, and a page that Linux uses for coalesced MMIO
        leave
1:      mov     x0, #KVM_API_VERSION
        leave
2:      mov     x0, x19
        bl      kvm_create_vm
        leave
3:      mov     x0, x19
        bl      kvm_check_extension
        leave
8:      mov     x0, #-EINVAL
        leave

// kvm_check_extension: x0 = capability; x0 = 0 when there is none of it.
kvm_check_extension:
        adr     x1, capabilities
1:      ldp     w2, w3, [x1], #8
        cmp     w2, w0
        b.eq    2f
        tbz     w2, #31, 1b
        mov     x3, #0
2:      mov     x0, x3
        ret

        .section .rodata
        .balign 8
capabilities:                                   // number, value
        .word   3, 1                            // KVM_CAP_USER_MEMORY
        .word   9, 1                            // KVM_CAP_NR_VCPUS: CPUs of the host
        .word   10, KVM_MEMSLOTS                // KVM_CAP_NR_MEMSLOTS
        .word   16, 1                           // KVM_CAP_SYNC_MMU
        .word   21, 1                           // KVM_CAP_DESTROY_MEMORY_REGION_WORKS
        .word   66, MINI_MAX_VCPUS              // KVM_CAP_MAX_VCPUS
        .word   70, 1                           // KVM_CAP_ONE_REG
        .word   81, 1                           // KVM_CAP_READONLY_MEM
        .word   87, 1                           // KVM_CAP_ARM_PSCI
        .word   102, 1                          // KVM_CAP_ARM_PSCI_0_2
        .word   105, 1                          // KVM_CAP_CHECK_EXTENSION_VM
        .word   136, 1                          // KVM_CAP_IMMEDIATE_EXIT
        .word   165, IPA_BITS                   // KVM_CAP_ARM_VM_IPA_SIZE
        .word   -1, 0
        .text
