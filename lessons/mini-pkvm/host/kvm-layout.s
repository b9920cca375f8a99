// What the host's half of KVM adds to the structures of include/structs.s, and the interface of /dev/kvm: numbers and
// layouts of include/uapi/linux/kvm.h.

        .equ    KVM_MEMSLOTS, 32

// struct kvm goes on behind what the hypervisor reads of it; the page is shared with the hypervisor, and the host's.
        struct  kvm_host, kvm.sizeof
        member  kvm.users_count                 // the VM's descriptor and its vCPUs'
        member  kvm.hyp_created                 // 1: __pkvm_init_vm was done
        member  kvm.mappings                    // pages the guest has: first struct pkvm_mappings
        member  kvm.vcpus, MINI_MAX_VCPUS * 8
        member  kvm.memslots, KVM_MEMSLOTS * 32
        endstruct kvm_host

        struct  memslot
        member  memslot.base_gfn
        member  memslot.npages                  // 0: not in use
        member  memslot.userspace_addr
        member  memslot.flags
        endstruct memslot

// One page: pages of the guest, by guest frame number. What the guest has, the process's pages cannot leave.
        struct  pkvm_mappings
        member  pkvm_mappings.next
        member  pkvm_mappings.count
        member  pkvm_mappings.entries, 0        // pairs: gfn, the page's VA
        endstruct pkvm_mappings
        .equ    MAPPINGS_PER_PAGE, (PAGE_SIZE - 16) / 16

        struct  kvm_vcpu_host, kvm_vcpu.sizeof
        member  kvm_vcpu.kvm
        member  kvm_vcpu.run                    // VA of struct kvm_run
        member  kvm_vcpu.vcpu_id
        member  kvm_vcpu.initialized            // KVM_ARM_VCPU_INIT was done
        member  kvm_vcpu.features
        member  kvm_vcpu.hyp_created
        member  kvm_vcpu.stopped                // by PSCI, or made with KVM_ARM_VCPU_POWER_OFF
        member  kvm_vcpu.mmio_needed            // 1: the exit before this one was MMIO, and the access is not done
        endstruct kvm_vcpu_host

        .equ    KVM_API_VERSION, 12
        .equ    KVM_GET_API_VERSION, 0xae00
        .equ    KVM_CREATE_VM, 0xae01
        .equ    KVM_CHECK_EXTENSION, 0xae03
        .equ    KVM_GET_VCPU_MMAP_SIZE, 0xae04
        .equ    KVM_CREATE_VCPU, 0xae41
        .equ    KVM_SET_USER_MEMORY_REGION, 0x4020ae46
        .equ    KVM_RUN, 0xae80
        .equ    KVM_GET_ONE_REG, 0x4010aeab
        .equ    KVM_SET_ONE_REG, 0x4010aeac
        .equ    KVM_ARM_VCPU_INIT, 0x4020aeae
        .equ    KVM_ARM_PREFERRED_TARGET, 0x8020aeaf
        .equ    KVM_GET_REG_LIST, 0xc008aeb0

        .equ    KVM_VM_TYPE_MASK, 0x800000ff    // bit 31: protected, bits 7:0: bits of guest physical address
        .equ    KVM_MEM_READONLY, 2
        .equ    KVM_MEM_FLAGS, 3                // with KVM_MEM_LOG_DIRTY_PAGES
        .equ    KVM_ARM_TARGET_GENERIC_V8, 5
        .equ    KVM_ARM_VCPU_FEATURES, 0x5      // POWER_OFF, PSCI_0_2

        struct  kvm_run
        member  kvm_run.request_interrupt_window, 1
        member  kvm_run.immediate_exit, 7
        member  kvm_run.exit_reason, 24
        member  kvm_run.mmio.phys_addr
        member  kvm_run.mmio.data
        member  kvm_run.mmio.len, 4
        member  kvm_run.mmio.is_write, 1
        endstruct kvm_run
        .equ    kvm_run.system_event.type, 32   // the same place as mmio
        .equ    kvm_run.system_event.ndata, 36
        .equ    KVM_EXIT_MMIO, 6
        .equ    KVM_EXIT_INTR, 10
        .equ    KVM_EXIT_SYSTEM_EVENT, 24
        .equ    KVM_SYSTEM_EVENT_SHUTDOWN, 1
        .equ    KVM_SYSTEM_EVENT_RESET, 2

// Call the hypervisor; arguments are in x1 to x4. x0 = the result, -EINVAL when it has no such call now. Only x0 and x1
// change.
        .macro  call_hyp name
        kvm_call_hyp \name
        cmp     x0, #0
        mov     x0, #-EINVAL
        csel    x0, x1, x0, eq
        .endm
