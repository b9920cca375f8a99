// Numbers of the architecture and of Linux that both halves, the host at EL1 and the hypervisor at EL2, need.

        .equ    PAGE_SHIFT, 12
        .equ    PAGE_SIZE, 4096
        .equ    BLOCK_SIZE, 2 << 20             // what one level 2 entry maps

// errno, include/uapi/asm-generic/errno*.h
        .equ    EPERM, 1
        .equ    ENOENT, 2
        .equ    E2BIG, 7
        .equ    EAGAIN, 11
        .equ    ENOMEM, 12
        .equ    EFAULT, 14
        .equ    EBUSY, 16
        .equ    EINVAL, 22
        .equ    EHWPOISON, 133

// SMCCC and PSCI
        .equ    SMCCC_RET_NOT_SUPPORTED, -1
        .equ    PSCI_SYSTEM_OFF, 0x84000008

// PSTATE, as in SPSR_ELx
        .equ    PSR_MODE_EL0t, 0
        .equ    PSR_MODE_EL1t, 4
        .equ    PSR_MODE_EL1h, 5
        .equ    PSR_DAIF, 0x3c0
        .equ    PSTATE_EL1_MASKED, PSR_DAIF | PSR_MODE_EL1h

// SCTLR_EL1 with everything off: its RES1 bits
        .equ    SCTLR_EL1_OFF, 0x30d00800

// ESR_ELx: bits 31:26 exception class, 25 IL, 24:0 syndrome
        .equ    ESR_EC_SHIFT, 26
        .equ    ESR_IL, 1 << 25
        .equ    ESR_EC_UNKNOWN, 0x00
        .equ    ESR_EC_WFx, 0x01
        .equ    ESR_EC_SVC64, 0x15
        .equ    ESR_EC_HVC64, 0x16
        .equ    ESR_EC_SMC64, 0x17
        .equ    ESR_EC_SYS64, 0x18
        .equ    ESR_EC_IABT_LOW, 0x20
        .equ    ESR_EC_IABT_CUR, 0x21
        .equ    ESR_EC_DABT_LOW, 0x24
        .equ    ESR_EC_DABT_CUR, 0x25
        .equ    ESR_WNR, 1 << 6                 // a write
        .equ    ESR_S1PTW, 1 << 7               // the fault was on a page-table walk of stage 1
        .equ    ESR_FSC_TYPE, 0x3c              // fault status without the level
        .equ    ESR_FSC_TRANSLATION, 0x04
        .equ    ESR_FSC_ACCESS, 0x08
        .equ    ESR_FSC_PERMISSION, 0x0c

// What __kvm_vcpu_run returns, arch/arm64/include/asm/kvm_asm.h
        .equ    ARM_EXCEPTION_IRQ, 0
        .equ    ARM_EXCEPTION_EL1_SERROR, 1
        .equ    ARM_EXCEPTION_TRAP, 2

// VMs
        .equ    KVM_VM_TYPE_ARM_PROTECTED, 1 << 31
        .equ    HANDLE_OFFSET, 0x1000           // handle of slot 0
        .equ    KVM_MAX_PVMS, 255               // slots; VMID = slot + 1 must fit 8 bits
        .equ    MINI_MAX_VCPUS, 8               // vCPUs of one VM
        .equ    GUEST_PGD_PAGES, 2              // root of a guest's stage 2: two pages, aligned to both
        .equ    IPA_BITS, 40

// How the kernel was entered, __boot_cpu_mode
        .equ    BOOT_CPU_MODE_EL1, 0xe11
        .equ    BOOT_CPU_MODE_EL2, 0xe12

// The UART of QEMU's virt machine: where both halves print
        .equ    UART_BASE, 0x09000000
        .equ    UART_DR, 0x00
        .equ    UART_FR, 0x18
        .equ    UART_FR_TXFF, 1 << 5

// hyp_mem_size_for x0, x1: bytes of memory the hypervisor needs for a machine with x1 bytes of RAM. 8 bytes a page for
// hyp_vmemmap, and as much again for the worst case of both sets of page tables; whole 2 MB blocks. xd must not be xn.
        .macro  hyp_mem_size_for xd, xn
        lsr     \xd, \xn, #9
        add     \xd, \xd, \xn, lsr #8
        add     \xd, \xd, #0x220, lsl #12       // 128 KB of odds and ends, and a block to round up
        and     \xd, \xd, #~(BLOCK_SIZE - 1)
        .endm
