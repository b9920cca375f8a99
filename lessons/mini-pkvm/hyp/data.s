// The hypervisor's variables. Before __pkvm_prot_finalize the host may write hyp_memory and hyp_memblock_nr; from then on
// none of this exists for it.

        .section .hyp.data
        .balign 16
hyp_memory:                             // RAM: one struct memblock_region, filled in by the host
        .skip   memblock_region.sizeof
hyp_memblock_nr:                        // 1
        .quad   0
hyp_physvirt_offset:                    // physical - virtual address at EL2
        .quad   0
hyp_pgd:                                // physical address of EL2's own level 1 table
        .quad   0
host_mmu:                               // the host's stage 2
        .skip   host_mmu.sizeof
__hyp_vmemmap:                          // where the record of page frame 0 would be
        .quad   0
vm_table:                               // KVM_MAX_PVMS addresses of pkvm_hyp_vm
        .quad   0
pkvm_lock:                              // 0 free, 1 taken
        .quad   0
        .if     CONFIG_LOCK_CONTENTION
contender:                              // the other CPU's call: function, or 0, and four arguments
        .skip   5 * 8
        .endif
loaded_hyp_vcpu:                        // the vCPU that __kvm_vcpu_run may run, or 0
        .quad   0
pkvm_initialized:                       // __pkvm_init is done
        .quad   0
kvm_protected_mode_initialized:         // __pkvm_prot_finalize is done
        .quad   0
kvm_init_params:
        .skip   kvm_nvhe_init_params.sizeof
fixmap_pte:                             // address of the level 3 entry of HYP_FIXMAP
        .quad   0
hyp_uart:                               // the UART as EL2 sees it now
        .quad   UART_BASE

// The pool that the host gave, divided.
host_s2_pgt_base:                       // the host's level 1 tables
        .quad   0
vm_table_base:
        .quad   0
vmemmap_base:
        .quad   0
hyp_pgt_base:                           // all other tables, the host's and EL2's own, as they are needed
        .quad   0
hyp_pool_next:                          // first page of them that is not in use (physical), and the end
        .quad   0
hyp_pool_end:
        .quad   0

        .section .hyp.bss
        .balign 4096
hyp_stack:                              // seen at HYP_STACK, between two guard pages
        .skip   4096
hyp_stack_end:
host_ctxt:                              // the host's registers while EL2 or a guest runs
        .skip   kvm_cpu_context.sizeof
        .balign 16
        .skip   512
panic_stack_end:                        // for the last words, whatever became of the other stack
