import type { SectionPlacement } from '../isa/assemble.ts'
import { MemoryMap } from './memory-map.ts'

/** The source of an assembled system that includes all others. */
export const SYSTEM_SOURCE = 'mini-pkvm.s'
/** Where loader.ts and QEMU put an Image with text_offset 0: the first 2 MiB boundary after QEMU's boot code. */
export const SYSTEM_ORIGIN = BigInt(MemoryMap.ramBase + 2 * 1024 * 1024)

const PAGE = 4096

/** The sections in their order, and the names of their edges (arch/arm64/kernel/vmlinux.lds.S). */
export const SYSTEM_SECTIONS: readonly SectionPlacement[] = [
  { name: '.text', alignment: PAGE, start: ['_text', '_stext'], end: ['_etext'] },
  { name: '.rodata', alignment: PAGE, start: ['__start_rodata'], end: ['__end_rodata'] },
  { name: '.hyp.text', alignment: PAGE, start: ['__hyp_text_start'], end: ['__hyp_text_end'] },
  { name: '.hyp.idmap.text', alignment: PAGE, start: ['__hyp_idmap_text_start'], end: ['__hyp_idmap_text_end'] },
  { name: '.hyp.rodata', alignment: PAGE, start: ['__hyp_rodata_start'], end: ['__hyp_rodata_end'] },
  { name: '.data', alignment: PAGE, start: ['_data', '_sdata'], end: ['_edata'] },
  { name: '.hyp.data', alignment: PAGE, start: ['__hyp_data_start'], end: ['__hyp_data_end'] },
  { name: '.hyp.bss', alignment: PAGE, start: ['__hyp_bss_start'], end: ['__hyp_bss_end'] },
  { name: '.bss', alignment: PAGE, start: ['__bss_start'], end: ['__bss_stop', '_end'] },
]
