/**
 * Names of system registers (MRS, MSR) and of system instructions (AT, DC, IC, TLBI) with their encodings, for the
 * assembler, the disassembler and traces. Source: Arm ARM, chapter D24 (registers) and tables of C5.4 (instructions).
 *
 * A name here says nothing about whether a CPU model has the register; that is decided where it is executed.
 */

/** op0<<14 | op1<<11 | CRn<<7 | CRm<<3 | op2, bits 20:5 of MRS/MSR with op0 in full. */
export function systemEncoding(op0: number, op1: number, crn: number, crm: number, op2: number): number {
  return (op0 << 14) | (op1 << 11) | (crn << 7) | (crm << 3) | op2
}

/** name op0 op1 CRn CRm op2; the first of two names for one encoding is printed. */
const REGISTERS = `
osdtrrx_el1 2 0 0 0 2
mdccint_el1 2 0 0 2 0
mdscr_el1 2 0 0 2 2
osdtrtx_el1 2 0 0 3 2
oseccr_el1 2 0 0 6 2
mdrar_el1 2 0 1 0 0
oslar_el1 2 0 1 0 4
oslsr_el1 2 0 1 1 4
osdlr_el1 2 0 1 3 4
dbgprcr_el1 2 0 1 4 4
dbgclaimset_el1 2 0 7 8 6
dbgclaimclr_el1 2 0 7 9 6
dbgauthstatus_el1 2 0 7 14 6
mdccsr_el0 2 3 0 1 0
dbgdtr_el0 2 3 0 4 0
dbgdtrrx_el0 2 3 0 5 0
dbgdtrtx_el0 2 3 0 5 0
dbgvcr32_el2 2 4 0 7 0
midr_el1 3 0 0 0 0
mpidr_el1 3 0 0 0 5
revidr_el1 3 0 0 0 6
id_pfr0_el1 3 0 0 1 0
id_pfr1_el1 3 0 0 1 1
id_dfr0_el1 3 0 0 1 2
id_afr0_el1 3 0 0 1 3
id_mmfr0_el1 3 0 0 1 4
id_mmfr1_el1 3 0 0 1 5
id_mmfr2_el1 3 0 0 1 6
id_mmfr3_el1 3 0 0 1 7
id_isar0_el1 3 0 0 2 0
id_isar1_el1 3 0 0 2 1
id_isar2_el1 3 0 0 2 2
id_isar3_el1 3 0 0 2 3
id_isar4_el1 3 0 0 2 4
id_isar5_el1 3 0 0 2 5
id_mmfr4_el1 3 0 0 2 6
id_isar6_el1 3 0 0 2 7
mvfr0_el1 3 0 0 3 0
mvfr1_el1 3 0 0 3 1
mvfr2_el1 3 0 0 3 2
id_pfr2_el1 3 0 0 3 4
id_dfr1_el1 3 0 0 3 5
id_mmfr5_el1 3 0 0 3 6
id_aa64pfr0_el1 3 0 0 4 0
id_aa64pfr1_el1 3 0 0 4 1
id_aa64pfr2_el1 3 0 0 4 2
id_aa64zfr0_el1 3 0 0 4 4
id_aa64smfr0_el1 3 0 0 4 5
id_aa64fpfr0_el1 3 0 0 4 7
id_aa64dfr0_el1 3 0 0 5 0
id_aa64dfr1_el1 3 0 0 5 1
id_aa64dfr2_el1 3 0 0 5 2
id_aa64afr0_el1 3 0 0 5 4
id_aa64afr1_el1 3 0 0 5 5
id_aa64isar0_el1 3 0 0 6 0
id_aa64isar1_el1 3 0 0 6 1
id_aa64isar2_el1 3 0 0 6 2
id_aa64isar3_el1 3 0 0 6 3
id_aa64mmfr0_el1 3 0 0 7 0
id_aa64mmfr1_el1 3 0 0 7 1
id_aa64mmfr2_el1 3 0 0 7 2
id_aa64mmfr3_el1 3 0 0 7 3
id_aa64mmfr4_el1 3 0 0 7 4
sctlr_el1 3 0 1 0 0
actlr_el1 3 0 1 0 1
cpacr_el1 3 0 1 0 2
zcr_el1 3 0 1 2 0
trfcr_el1 3 0 1 2 1
smpri_el1 3 0 1 2 4
smcr_el1 3 0 1 2 6
ttbr0_el1 3 0 2 0 0
ttbr1_el1 3 0 2 0 1
tcr_el1 3 0 2 0 2
tcr2_el1 3 0 2 0 3
apiakeylo_el1 3 0 2 1 0
apiakeyhi_el1 3 0 2 1 1
apibkeylo_el1 3 0 2 1 2
apibkeyhi_el1 3 0 2 1 3
apdakeylo_el1 3 0 2 2 0
apdakeyhi_el1 3 0 2 2 1
apdbkeylo_el1 3 0 2 2 2
apdbkeyhi_el1 3 0 2 2 3
apgakeylo_el1 3 0 2 3 0
apgakeyhi_el1 3 0 2 3 1
spsr_el1 3 0 4 0 0
elr_el1 3 0 4 0 1
sp_el0 3 0 4 1 0
spsel 3 0 4 2 0
currentel 3 0 4 2 2
pan 3 0 4 2 3
uao 3 0 4 2 4
icc_pmr_el1 3 0 4 6 0
afsr0_el1 3 0 5 1 0
afsr1_el1 3 0 5 1 1
esr_el1 3 0 5 2 0
erridr_el1 3 0 5 3 0
errselr_el1 3 0 5 3 1
erxfr_el1 3 0 5 4 0
erxctlr_el1 3 0 5 4 1
erxstatus_el1 3 0 5 4 2
erxaddr_el1 3 0 5 4 3
far_el1 3 0 6 0 0
par_el1 3 0 7 4 0
pmintenset_el1 3 0 9 14 1
pmintenclr_el1 3 0 9 14 2
pmmir_el1 3 0 9 14 6
mair_el1 3 0 10 2 0
pire0_el1 3 0 10 2 2
pir_el1 3 0 10 2 3
amair_el1 3 0 10 3 0
lorsa_el1 3 0 10 4 0
lorea_el1 3 0 10 4 1
lorn_el1 3 0 10 4 2
lorc_el1 3 0 10 4 3
lorid_el1 3 0 10 4 7
vbar_el1 3 0 12 0 0
rvbar_el1 3 0 12 0 1
rmr_el1 3 0 12 0 2
isr_el1 3 0 12 1 0
disr_el1 3 0 12 1 1
icc_iar0_el1 3 0 12 8 0
icc_eoir0_el1 3 0 12 8 1
icc_hppir0_el1 3 0 12 8 2
icc_bpr0_el1 3 0 12 8 3
icc_ap0r0_el1 3 0 12 8 4
icc_ap0r1_el1 3 0 12 8 5
icc_ap0r2_el1 3 0 12 8 6
icc_ap0r3_el1 3 0 12 8 7
icc_ap1r0_el1 3 0 12 9 0
icc_ap1r1_el1 3 0 12 9 1
icc_ap1r2_el1 3 0 12 9 2
icc_ap1r3_el1 3 0 12 9 3
icc_dir_el1 3 0 12 11 1
icc_rpr_el1 3 0 12 11 3
icc_sgi1r_el1 3 0 12 11 5
icc_asgi1r_el1 3 0 12 11 6
icc_sgi0r_el1 3 0 12 11 7
icc_iar1_el1 3 0 12 12 0
icc_eoir1_el1 3 0 12 12 1
icc_hppir1_el1 3 0 12 12 2
icc_bpr1_el1 3 0 12 12 3
icc_ctlr_el1 3 0 12 12 4
icc_sre_el1 3 0 12 12 5
icc_igrpen0_el1 3 0 12 12 6
icc_igrpen1_el1 3 0 12 12 7
contextidr_el1 3 0 13 0 1
tpidr_el1 3 0 13 0 4
scxtnum_el1 3 0 13 0 7
cntkctl_el1 3 0 14 1 0
ccsidr_el1 3 1 0 0 0
clidr_el1 3 1 0 0 1
ccsidr2_el1 3 1 0 0 2
gmid_el1 3 1 0 0 4
smidr_el1 3 1 0 0 6
aidr_el1 3 1 0 0 7
csselr_el1 3 2 0 0 0
ctr_el0 3 3 0 0 1
dczid_el0 3 3 0 0 7
rndr 3 3 2 4 0
rndrrs 3 3 2 4 1
nzcv 3 3 4 2 0
daif 3 3 4 2 1
svcr 3 3 4 2 2
dit 3 3 4 2 5
ssbs 3 3 4 2 6
tco 3 3 4 2 7
fpcr 3 3 4 4 0
fpsr 3 3 4 4 1
fpmr 3 3 4 4 2
dspsr_el0 3 3 4 5 0
dlr_el0 3 3 4 5 1
pmcr_el0 3 3 9 12 0
pmcntenset_el0 3 3 9 12 1
pmcntenclr_el0 3 3 9 12 2
pmovsclr_el0 3 3 9 12 3
pmswinc_el0 3 3 9 12 4
pmselr_el0 3 3 9 12 5
pmceid0_el0 3 3 9 12 6
pmceid1_el0 3 3 9 12 7
pmccntr_el0 3 3 9 13 0
pmxevtyper_el0 3 3 9 13 1
pmxevcntr_el0 3 3 9 13 2
pmuserenr_el0 3 3 9 14 0
pmovsset_el0 3 3 9 14 3
tpidr_el0 3 3 13 0 2
tpidrro_el0 3 3 13 0 3
tpidr2_el0 3 3 13 0 5
scxtnum_el0 3 3 13 0 7
cntfrq_el0 3 3 14 0 0
cntpct_el0 3 3 14 0 1
cntvct_el0 3 3 14 0 2
cntpctss_el0 3 3 14 0 5
cntvctss_el0 3 3 14 0 6
cntp_tval_el0 3 3 14 2 0
cntp_ctl_el0 3 3 14 2 1
cntp_cval_el0 3 3 14 2 2
cntv_tval_el0 3 3 14 3 0
cntv_ctl_el0 3 3 14 3 1
cntv_cval_el0 3 3 14 3 2
pmccfiltr_el0 3 3 14 15 7
vpidr_el2 3 4 0 0 0
vmpidr_el2 3 4 0 0 5
sctlr_el2 3 4 1 0 0
actlr_el2 3 4 1 0 1
hcr_el2 3 4 1 1 0
mdcr_el2 3 4 1 1 1
cptr_el2 3 4 1 1 2
hstr_el2 3 4 1 1 3
hfgrtr_el2 3 4 1 1 4
hfgwtr_el2 3 4 1 1 5
hfgitr_el2 3 4 1 1 6
hacr_el2 3 4 1 1 7
zcr_el2 3 4 1 2 0
trfcr_el2 3 4 1 2 1
hcrx_el2 3 4 1 2 2
smcr_el2 3 4 1 2 6
sder32_el2 3 4 1 3 1
ttbr0_el2 3 4 2 0 0
ttbr1_el2 3 4 2 0 1
tcr_el2 3 4 2 0 2
tcr2_el2 3 4 2 0 3
vttbr_el2 3 4 2 1 0
vtcr_el2 3 4 2 1 2
vncr_el2 3 4 2 2 0
dacr32_el2 3 4 3 0 0
hdfgrtr_el2 3 4 3 1 4
hdfgwtr_el2 3 4 3 1 5
hafgrtr_el2 3 4 3 1 6
spsr_el2 3 4 4 0 0
elr_el2 3 4 4 0 1
sp_el1 3 4 4 1 0
spsr_irq 3 4 4 3 0
spsr_abt 3 4 4 3 1
spsr_und 3 4 4 3 2
spsr_fiq 3 4 4 3 3
ifsr32_el2 3 4 5 0 1
afsr0_el2 3 4 5 1 0
afsr1_el2 3 4 5 1 1
esr_el2 3 4 5 2 0
vsesr_el2 3 4 5 2 3
fpexc32_el2 3 4 5 3 0
far_el2 3 4 6 0 0
hpfar_el2 3 4 6 0 4
mair_el2 3 4 10 2 0
amair_el2 3 4 10 3 0
vbar_el2 3 4 12 0 0
rvbar_el2 3 4 12 0 1
rmr_el2 3 4 12 0 2
vdisr_el2 3 4 12 1 1
ich_ap0r0_el2 3 4 12 8 0
ich_ap0r1_el2 3 4 12 8 1
ich_ap0r2_el2 3 4 12 8 2
ich_ap0r3_el2 3 4 12 8 3
ich_ap1r0_el2 3 4 12 9 0
ich_ap1r1_el2 3 4 12 9 1
ich_ap1r2_el2 3 4 12 9 2
ich_ap1r3_el2 3 4 12 9 3
icc_sre_el2 3 4 12 9 5
ich_hcr_el2 3 4 12 11 0
ich_vtr_el2 3 4 12 11 1
ich_misr_el2 3 4 12 11 2
ich_eisr_el2 3 4 12 11 3
ich_elrsr_el2 3 4 12 11 5
ich_vmcr_el2 3 4 12 11 7
contextidr_el2 3 4 13 0 1
tpidr_el2 3 4 13 0 2
scxtnum_el2 3 4 13 0 7
cntvoff_el2 3 4 14 0 3
cntpoff_el2 3 4 14 0 6
cnthctl_el2 3 4 14 1 0
cnthp_tval_el2 3 4 14 2 0
cnthp_ctl_el2 3 4 14 2 1
cnthp_cval_el2 3 4 14 2 2
cnthv_tval_el2 3 4 14 3 0
cnthv_ctl_el2 3 4 14 3 1
cnthv_cval_el2 3 4 14 3 2
sctlr_el12 3 5 1 0 0
cpacr_el12 3 5 1 0 2
zcr_el12 3 5 1 2 0
trfcr_el12 3 5 1 2 1
ttbr0_el12 3 5 2 0 0
ttbr1_el12 3 5 2 0 1
tcr_el12 3 5 2 0 2
spsr_el12 3 5 4 0 0
elr_el12 3 5 4 0 1
afsr0_el12 3 5 5 1 0
afsr1_el12 3 5 5 1 1
esr_el12 3 5 5 2 0
far_el12 3 5 6 0 0
mair_el12 3 5 10 2 0
amair_el12 3 5 10 3 0
vbar_el12 3 5 12 0 0
contextidr_el12 3 5 13 0 1
cntkctl_el12 3 5 14 1 0
cntp_tval_el02 3 5 14 2 0
cntp_ctl_el02 3 5 14 2 1
cntp_cval_el02 3 5 14 2 2
cntv_tval_el02 3 5 14 3 0
cntv_ctl_el02 3 5 14 3 1
cntv_cval_el02 3 5 14 3 2
sctlr_el3 3 6 1 0 0
actlr_el3 3 6 1 0 1
scr_el3 3 6 1 1 0
sder32_el3 3 6 1 1 1
cptr_el3 3 6 1 1 2
mdcr_el3 3 6 1 3 1
ttbr0_el3 3 6 2 0 0
tcr_el3 3 6 2 0 2
spsr_el3 3 6 4 0 0
elr_el3 3 6 4 0 1
sp_el2 3 6 4 1 0
afsr0_el3 3 6 5 1 0
afsr1_el3 3 6 5 1 1
esr_el3 3 6 5 2 0
far_el3 3 6 6 0 0
mair_el3 3 6 10 2 0
amair_el3 3 6 10 3 0
vbar_el3 3 6 12 0 0
rvbar_el3 3 6 12 0 1
rmr_el3 3 6 12 0 2
icc_ctlr_el3 3 6 12 12 4
icc_sre_el3 3 6 12 12 5
icc_igrpen1_el3 3 6 12 12 7
tpidr_el3 3 6 13 0 2
cntps_tval_el1 3 7 14 2 0
cntps_ctl_el1 3 7 14 2 1
cntps_cval_el1 3 7 14 2 2
`

const byName = new Map<string, number>()
const byEncoding = new Map<number, string>()

function define(name: string, encoding: number): void {
  byName.set(name, encoding)
  if (!byEncoding.has(encoding)) byEncoding.set(encoding, name)
}

for (const line of REGISTERS.trim().split('\n')) {
  const [name, ...numbers] = line.split(' ')
  const [op0, op1, crn, crm, op2] = numbers.map(Number)
  define(name!, systemEncoding(op0!, op1!, crn!, crm!, op2!))
}
// Register files of 16 (breakpoints, watchpoints, list registers) and 31 (event counters).
for (let n = 0; n < 16; n++) {
  define(`dbgbvr${n}_el1`, systemEncoding(2, 0, 0, n, 4))
  define(`dbgbcr${n}_el1`, systemEncoding(2, 0, 0, n, 5))
  define(`dbgwvr${n}_el1`, systemEncoding(2, 0, 0, n, 6))
  define(`dbgwcr${n}_el1`, systemEncoding(2, 0, 0, n, 7))
  define(`ich_lr${n}_el2`, systemEncoding(3, 4, 12, 12 + (n >> 3), n & 7))
}
for (let n = 0; n < 31; n++) {
  define(`pmevcntr${n}_el0`, systemEncoding(3, 3, 14, 8 + (n >> 3), n & 7))
  define(`pmevtyper${n}_el0`, systemEncoding(3, 3, 14, 12 + (n >> 3), n & 7))
}

/** Encoding of a register's name (any case), or of the general form `s3_0_c1_c0_0`; undefined when it is neither. */
export function systemRegisterEncoding(name: string): number | undefined {
  const lower = name.toLowerCase()
  const known = byName.get(lower)
  if (known !== undefined) return known
  const m = /^s([23])_([0-7])_c(\d|1[0-5])_c(\d|1[0-5])_([0-7])$/.exec(lower)
  if (m === null) return undefined
  const [op0, op1, crn, crm, op2] = m.slice(1).map(Number)
  return systemEncoding(op0!, op1!, crn!, crm!, op2!)
}

/** Name of an encoding; the general form when it has none. */
export function systemRegisterName(encoding: number): string {
  const known = byEncoding.get(encoding)
  if (known !== undefined) return known
  const e = encoding
  return `s${e >> 14}_${(e >> 11) & 7}_c${(e >> 7) & 15}_c${(e >> 3) & 15}_${e & 7}`
}

/** All names with their encodings. */
export function systemRegisterNames(): Iterable<readonly [name: string, encoding: number]> {
  return byName
}
