// The probe: is there KVM, and what becomes of a normal and of a protected virtual machine?

        .equ    KVM_GET_API_VERSION, 0xae00
        .equ    KVM_CREATE_VM, 0xae01
        .equ    KVM_GET_VCPU_MMAP_SIZE, 0xae04
        .equ    KVM_CREATE_VCPU, 0xae41
        .equ    KVM_SET_USER_MEMORY_REGION, 0x4020ae46
        .equ    KVM_RUN, 0xae80
        .equ    KVM_SET_ONE_REG, 0x4010aeac
        .equ    KVM_ARM_VCPU_INIT, 0x4020aeae
        .equ    KVM_ARM_PREFERRED_TARGET, 0x8020aeaf

        .equ    KVM_VM_TYPE_NORMAL, 0
        .equ    KVM_VM_TYPE_ARM_PROTECTED, 0x80000000

        .bss
        .balign 8
kvm_fd: .skip   8
vcpu_mmap_size:
        .skip   8
        .text

probe:
        stp     x29, x30, [sp, #-32]!
        stp     x19, x20, [sp, #16]
        text_address "/dev/kvm"
        ldr     w1, =O_RDWR | O_CLOEXEC
        bl      open_file
        mov     x20, x0
        begin   "kvm.open="
        mov     x0, x20
        bl      put_descriptor
        bl      end_line
        tbnz    x20, #63, 1f

        adr     x0, kvm_fd
        str     x20, [x0]
        mov     x0, x20
        mov     x1, #KVM_GET_API_VERSION
        mov     x2, #0
        syscall SYS_ioctl
        mov     x19, x0
        begin   "kvm.api_version="
        mov     x0, x19
        bl      put_result
        bl      end_line

        mov     x0, x20
        mov     x1, #KVM_GET_VCPU_MMAP_SIZE
        mov     x2, #0
        syscall SYS_ioctl
        adr     x1, vcpu_mmap_size
        str     x0, [x1]

        text_address "vm.normal."
        mov     x1, #KVM_VM_TYPE_NORMAL
        bl      probe_vm
        text_address "vm.protected."
        mov     x1, #KVM_VM_TYPE_ARM_PROTECTED
        bl      probe_vm
        bl      probe_again

        mov     x0, x20
        syscall SYS_close
1:      begin   "probe=done"
        bl      end_line
        ldp     x19, x20, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret

// A second protected VM, only made and closed: the taint is there already and stays as it is.
probe_again:
        stp     x29, x30, [sp, #-32]!
        stp     x19, x20, [sp, #16]
        text_address "vm.again."
        mov     x19, x0
        adr     x0, kvm_fd
        ldr     x0, [x0]
        mov     x1, #KVM_CREATE_VM
        mov     x2, #KVM_VM_TYPE_ARM_PROTECTED
        syscall SYS_ioctl
        mov     x20, x0
        fact    "create="
        mov     x0, x20
        bl      put_descriptor
        bl      end_line
        bl      put_taint
        tbnz    x20, #63, 1f
        mov     x0, x20
        syscall SYS_close
1:      ldp     x19, x20, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret

// put_descriptor: x0 = descriptor or -errno; prints fd or the errno's name.
put_descriptor:
        tbnz    x0, #63, put_result
        text_address "fd"
        b       put_text
