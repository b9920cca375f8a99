/**
 * Headings of the Arm ARM, section C7.2. A heading covers the vector and the scalar encodings of an instruction; it
 * has a qualifier only where the mnemonic has several pages.
 */
const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/))

/** Three same, two-register miscellaneous, three different: another page has the base or by-element instruction. */
const vector = words(
  'add addp and cls clz eor mla mls mul neg orn rbit rev16 rev32 sqdmulh sqrdmulh sub ' +
    'smlal umlal smlsl umlsl smull umull sqdmlal sqdmlsl sqdmull ' +
    'fabs fadd faddp fcvtas fcvtau fcvtms fcvtmu fcvtns fcvtnu fcvtps fcvtpu fdiv fmax fmaxnm fmaxnmp fmaxp fmin ' +
    'fminnm fminnmp fminp fmla fmls fmul fneg frinta frinti frintm frintn frintp frintx frintz fsqrt fsub',
)
const register = words('cmeq cmge cmgt cmhi cmhs fcmeq fcmge fcmgt sqshl uqshl')
const vectorRegister = words('bic orr')
const vectorInteger = words('fcvtzs fcvtzu scvtf ucvtf')
/** Shifts by immediate that exist by register, too. */
const immediate = words('sqshl uqshl')

/** `ADD` or, for instructions that also come as ...2 on the upper half, `ADDHN, ADDHN2`. */
function title(mnemonic: string, pair: boolean): string {
  const name = mnemonic.toUpperCase()
  return pair ? `${name}, ${name}2` : name
}

/** Heading of an instruction on registers alone. @param pair is there a form with suffix 2? */
export function registerHeading(mnemonic: string, pair = false): string {
  const name = title(mnemonic, pair)
  if (vector.has(mnemonic)) return `${name} (vector)`
  if (register.has(mnemonic)) return `${name} (register)`
  if (vectorRegister.has(mnemonic)) return `${name} (vector, register)`
  if (vectorInteger.has(mnemonic)) return `${name} (vector, integer)`
  return mnemonic === 'mvn' ? 'NOT' : name
}

/** Heading of a shift by immediate. */
export function shiftHeading(mnemonic: string, pair = false): string {
  return immediate.has(mnemonic) ? `${title(mnemonic, pair)} (immediate)` : title(mnemonic, pair)
}

/** Heading of an instruction with an indexed element. Only FMULX's register page has no qualifier. */
export function elementHeading(mnemonic: string, pair = false): string {
  return `${title(mnemonic, pair)} (by element)`
}
