// One virtual machine from its making to its end, and what the host sees of the guest's memory on the way.
//
// The guest has 64 KiB of RAM at 0x40000000: its code in the first page, and the page it writes to after that. It
// stores GUEST_VALUE to that page, loads it back, and stores what it loaded to an address that nothing backs, which
// makes KVM_RUN return with an MMIO exit that carries the value.

        .equ    GUEST_BASE, 0x40000000
        .equ    GUEST_SIZE, 0x10000
        .equ    GUEST_DATA, 0x1000              // offset of the page the guest writes
        .equ    GUEST_MMIO, 0x10000000          // backed by nothing
        .equ    GUEST_VALUE, 0x600d600d

// struct kvm_vcpu_init: u32 target, u32 features[7]
        .equ    VCPU_INIT_FEATURES, 4
        .equ    KVM_ARM_VCPU_PSCI_0_2, 1 << 2
        .equ    KVM_REG_ARM_CORE_PC, 0x6030000000100040

// struct kvm_run
        .equ    RUN_EXIT_REASON, 8
        .equ    RUN_MMIO_ADDRESS, 32
        .equ    RUN_MMIO_DATA, 40
        .equ    RUN_MMIO_LENGTH, 48
        .equ    RUN_MMIO_IS_WRITE, 52
        .equ    KVM_EXIT_MMIO, 6
        .equ    MOST_RUNS, 100                  // KVM_RUN returns that are no MMIO exit before giving up

        .bss
        .balign 8
memory_region:                          // slot u32, flags u32, guest address, size, host address
        .skip   32
vcpu_init:
        .skip   32
one_reg:                                // id, address of the value
        .skip   16
one_reg_value:
        .skip   8
pipe_fds:
        .skip   8
        .data
        .balign 8
moment: .quad   0, 20000000             // struct timespec: 20 ms
        .text

// probe_vm: x0 = prefix of its lines, x1 = the type given to KVM_CREATE_VM.
// x19 = prefix, x20 = VM, x21 = vCPU, x22 = guest RAM, x23 = struct kvm_run, x24 = scratch
probe_vm:
        stp     x29, x30, [sp, #-64]!
        stp     x19, x20, [sp, #16]
        stp     x21, x22, [sp, #32]
        stp     x23, x24, [sp, #48]
        mov     x19, x0
        mov     x24, x1
        fact    "type="
        mov     x0, x24
        bl      put_hex
        bl      end_line

        adr     x0, kvm_fd
        ldr     x0, [x0]
        mov     x1, #KVM_CREATE_VM
        mov     x2, x24
        syscall SYS_ioctl
        mov     x20, x0
        // What the kernel has to say about it is printed by a thread of its own: let it come first.
        adr     x0, moment
        mov     x1, #0
        syscall SYS_nanosleep
        fact    "create="
        mov     x0, x20
        bl      put_descriptor
        bl      end_line
        bl      put_taint
        tbnz    x20, #63, 9f

        bl      make_memory
        tbnz    x22, #63, 8f
        bl      make_vcpu
        tbnz    x21, #63, 7f
        bl      run_vcpu
        bl      look_at_memory
        // struct kvm_run keeps the vCPU alive, so its mapping goes too.
        mov     x0, x23
        adr     x1, vcpu_mmap_size
        ldr     x1, [x1]
        syscall SYS_munmap
        mov     x0, x21
        syscall SYS_close
7:      mov     x0, x20
        syscall SYS_close
        mov     x24, x0
        fact    "close="
        mov     x0, x24
        bl      put_result
        bl      end_line
        // The VM is gone, the memory it had is still mapped here.
        fact    "after_teardown="
        add     x0, x22, #GUEST_DATA
        bl      put_guarded
        bl      end_line
        mov     x0, x22
        mov     x1, #GUEST_SIZE
        syscall SYS_munmap
        b       10f
8:      mov     x0, x20
        syscall SYS_close
10:     fact    "after_teardown."
        bl      put_taint_here
9:      ldp     x23, x24, [sp, #48]
        ldp     x21, x22, [sp, #32]
        ldp     x19, x20, [sp, #16]
        ldp     x29, x30, [sp], #64
        ret

// put_taint: a whole line.  put_taint_here: the line's prefix is there already.
put_taint:
        mov     x0, x19
        stp     x29, x30, [sp, #-16]!
        bl      put_text
        ldp     x29, x30, [sp], #16
put_taint_here:
        stp     x29, x30, [sp, #-16]!
        say     "taint="
        file    "/proc/sys/kernel/tainted"
        bl      end_line
        ldp     x29, x30, [sp], #16
        ret

// Report the result in x24 as a line's value and end the line.
        .macro  outcome
        mov     x0, x24
        bl      put_result
        bl      end_line
        .endm

// make_memory: guest RAM with the guest's code in it, as slot 0. x22 = its address or -errno.
make_memory:
        stp     x29, x30, [sp, #-16]!
        mov     x0, #0
        mov     x1, #GUEST_SIZE
        mov     x2, #PROT_READ | PROT_WRITE
        mov     x3, #MAP_PRIVATE | MAP_ANONYMOUS
        mov     x4, #-1
        mov     x5, #0
        syscall SYS_mmap
        mov     x22, x0
        tbnz    x0, #63, 2f

        adr     x1, guest_code
        adr     x2, guest_code_end
        mov     x3, x22
1:      ldr     w4, [x1], #4
        str     w4, [x3], #4
        cmp     x1, x2
        b.lo    1b

        adr     x2, memory_region
        stp     wzr, wzr, [x2]
        mov     x3, #GUEST_BASE
        mov     x4, #GUEST_SIZE
        stp     x3, x4, [x2, #8]
        str     x22, [x2, #24]
        mov     x0, x20
        ldr     w1, =KVM_SET_USER_MEMORY_REGION
        syscall SYS_ioctl
        mov     x24, x0
        fact    "memory_region="
        outcome
        b       3f
2:      fact    "mmap="
        mov     x0, x22
        bl      put_result
        bl      end_line
3:      ldp     x29, x30, [sp], #16
        ret

// make_vcpu: a vCPU with PSCI 0.2 that starts at the guest's code. x21 = it or -errno, x23 = its struct kvm_run.
make_vcpu:
        stp     x29, x30, [sp, #-16]!
        mov     x0, x20
        mov     x1, #KVM_CREATE_VCPU
        mov     x2, #0
        syscall SYS_ioctl
        mov     x21, x0
        fact    "vcpu="
        mov     x0, x21
        bl      put_descriptor
        bl      end_line
        tbnz    x21, #63, 1f

        mov     x0, #0
        adr     x1, vcpu_mmap_size
        ldr     x1, [x1]
        mov     x2, #PROT_READ | PROT_WRITE
        mov     x3, #MAP_SHARED
        mov     x4, x21
        mov     x5, #0
        syscall SYS_mmap
        mov     x23, x0

        mov     x0, x20
        ldr     w1, =KVM_ARM_PREFERRED_TARGET
        adr     x2, vcpu_init
        syscall SYS_ioctl
        mov     x24, x0
        fact    "preferred_target="
        outcome
        adr     x2, vcpu_init
        mov     w3, #KVM_ARM_VCPU_PSCI_0_2
        str     w3, [x2, #VCPU_INIT_FEATURES]
        mov     x0, x21
        ldr     w1, =KVM_ARM_VCPU_INIT
        syscall SYS_ioctl
        mov     x24, x0
        fact    "vcpu_init="
        outcome

        adr     x2, one_reg
        ldr     x3, =KVM_REG_ARM_CORE_PC
        adr     x4, one_reg_value
        stp     x3, x4, [x2]
        mov     x3, #GUEST_BASE
        str     x3, [x4]
        mov     x0, x21
        ldr     w1, =KVM_SET_ONE_REG
        syscall SYS_ioctl
        mov     x24, x0
        fact    "set_pc="
        outcome
1:      ldp     x29, x30, [sp], #16
        ret

// run_vcpu: KVM_RUN until the guest's MMIO store, an error, or too many other exits.
run_vcpu:
        stp     x29, x30, [sp, #-32]!
        str     x25, [sp, #16]
        mov     x25, #MOST_RUNS
1:      mov     x0, x21
        mov     x1, #KVM_RUN
        mov     x2, #0
        syscall SYS_ioctl
        mov     x24, x0
        subs    x25, x25, #1
        b.eq    2f
        cmn     x24, #EINTR
        b.eq    1b
        cbnz    x24, 2f
        ldr     w0, [x23, #RUN_EXIT_REASON]
        cmp     w0, #KVM_EXIT_MMIO
        b.ne    1b
2:      fact    "run="
        outcome
        cbnz    x24, 9f
        fact    "exit="
        ldr     w0, [x23, #RUN_EXIT_REASON]
        cmp     w0, #KVM_EXIT_MMIO
        b.eq    3f
        bl      put_decimal
        bl      end_line
        b       9f
3:      say     "KVM_EXIT_MMIO"
        bl      end_line
        fact    "mmio.address="
        ldr     x0, [x23, #RUN_MMIO_ADDRESS]
        bl      put_hex
        bl      end_line
        fact    "mmio.write="
        ldrb    w0, [x23, #RUN_MMIO_IS_WRITE]
        bl      put_decimal
        bl      end_line
        fact    "mmio.length="
        ldr     w0, [x23, #RUN_MMIO_LENGTH]
        bl      put_decimal
        bl      end_line
        fact    "mmio.data="
        ldr     w0, [x23, #RUN_MMIO_DATA]
        bl      put_hex
        bl      end_line
9:      ldr     x25, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret

// look_at_memory: the host reads the guest's page itself, then has the kernel read it.
look_at_memory:
        stp     x29, x30, [sp, #-32]!
        str     x25, [sp, #16]
        fact    "host_read="
        add     x0, x22, #GUEST_DATA
        bl      put_guarded
        bl      end_line
        adr     x0, fault_signal
        ldr     x1, [x0]
        cbz     x1, 1f
        // Addresses differ from run to run, the distance into guest RAM does not.
        ldr     x24, [x0, #fault_address - fault_signal]
        sub     x24, x24, x22
        fact    "host_read.fault=guest_ram+"
        mov     x0, x24
        bl      put_hex
        bl      end_line

        // A pipe copies: unlike /dev/null it must touch the bytes.
1:      adr     x0, pipe_fds
        ldr     w1, =O_NONBLOCK | O_CLOEXEC
        syscall SYS_pipe2
        mov     x24, x0
        tbnz    x0, #63, 2f
        adr     x0, pipe_fds
        ldr     w0, [x0, #4]
        add     x1, x22, #GUEST_DATA
        mov     x2, #4
        syscall SYS_write
        mov     x24, x0
        adr     x25, pipe_fds
        ldr     w0, [x25]
        syscall SYS_close
        ldr     w0, [x25, #4]
        syscall SYS_close
2:      fact    "host_write_syscall="
        outcome
        ldr     x25, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret
