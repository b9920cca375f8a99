import { buildInitrd } from '../machine/init-program.ts'
import { initSources } from './initrd-command.ts'
import { projectRoot } from './oracle.ts'

/** The lab's guest, and before its MMIO store: page 2 is shared with the host, page 3 shared and taken back. */
const SHARING_GUEST = `
        .section .rodata
        .balign 4
guest_code:
        ldr     w9, 2f                  // GUEST_VALUE
        mov     x1, #GUEST_BASE
        add     x1, x1, #GUEST_DATA
        str     w9, [x1]
        mov     x10, #0x2000
        bl      share
        mov     x10, #0x3000
        bl      share
        ldr     w0, 4f                  // MEM_UNSHARE
        bl      call
        mov     x3, #GUEST_MMIO
        str     w9, [x3]
1:      wfi
        b       1b
share:  mov     x1, #GUEST_BASE
        add     x1, x1, x10
        str     w9, [x1]
        ldr     w0, 3f                  // MEM_SHARE
call:   mov     x1, #GUEST_BASE
        add     x1, x1, x10
        mov     x2, #0
        mov     x3, #0
        hvc     #0
        ret
2:      .word   GUEST_VALUE
3:      .word   0xc6000003
4:      .word   0xc6000004
guest_code_end:
        .text
`

/** In the host, before it looks at the guest's memory: have the kernel itself read the guest's page 1. */
const FORCED_READ = `
        text_address "/proc/self/mem"
        mov     x1, #0                  // O_RDONLY
        bl      open_file
        adr     x1, one_reg_value
        mov     x2, #8
        add     x3, x22, #GUEST_DATA
        mov     x8, #67                 // pread64
        svc     #0
`

/** The lab's initrd with that guest. @param force the host also takes a private page back by force */
export function sharingInitrd(force: boolean): Uint8Array {
  const sources = initSources(projectRoot)
  const place = 'bl      look_at_memory\n'
  if (!sources['vm.s']!.includes(place)) throw new Error('vm.s no longer looks at the memory')
  if (force) sources['vm.s'] = sources['vm.s']!.replace(place, `${FORCED_READ}        ${place}`)
  return buildInitrd({ sources: { ...sources, 'guest.s': SHARING_GUEST } })
}
