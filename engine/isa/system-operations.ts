/**
 * Names of the SYS operations: cache maintenance, address translation, TLB maintenance (Arm ARM C5.3 to C5.5, those of
 * Armv8.0). All have op0 = 1.
 */
export interface SystemOperation {
  readonly mnemonic: 'ic' | 'dc' | 'at' | 'tlbi'
  /** Operand in lower case, unique over all mnemonics. */
  readonly name: string
  readonly op1: number
  readonly CRn: number
  readonly CRm: number
  readonly op2: number
  /** Does it take a register? */
  readonly register: boolean
}

const operation = (
  mnemonic: SystemOperation['mnemonic'],
  name: string,
  op1: number,
  CRn: number,
  CRm: number,
  op2: number,
  register = true,
): SystemOperation => ({ mnemonic, name, op1, CRn, CRm, op2, register })

export const systemOperations: readonly SystemOperation[] = [
  operation('ic', 'ialluis', 0, 7, 1, 0, false),
  operation('ic', 'iallu', 0, 7, 5, 0, false),
  operation('ic', 'ivau', 3, 7, 5, 1),
  operation('dc', 'ivac', 0, 7, 6, 1),
  operation('dc', 'isw', 0, 7, 6, 2),
  operation('dc', 'csw', 0, 7, 10, 2),
  operation('dc', 'cisw', 0, 7, 14, 2),
  operation('dc', 'zva', 3, 7, 4, 1),
  operation('dc', 'cvac', 3, 7, 10, 1),
  operation('dc', 'cvau', 3, 7, 11, 1),
  operation('dc', 'civac', 3, 7, 14, 1),
  operation('at', 's1e1r', 0, 7, 8, 0),
  operation('at', 's1e1w', 0, 7, 8, 1),
  operation('at', 's1e0r', 0, 7, 8, 2),
  operation('at', 's1e0w', 0, 7, 8, 3),
  operation('at', 's1e2r', 4, 7, 8, 0),
  operation('at', 's1e2w', 4, 7, 8, 1),
  operation('at', 's12e1r', 4, 7, 8, 4),
  operation('at', 's12e1w', 4, 7, 8, 5),
  operation('at', 's12e0r', 4, 7, 8, 6),
  operation('at', 's12e0w', 4, 7, 8, 7),
  operation('at', 's1e3r', 6, 7, 8, 0),
  operation('at', 's1e3w', 6, 7, 8, 1),
  operation('tlbi', 'vmalle1is', 0, 8, 3, 0, false),
  operation('tlbi', 'vae1is', 0, 8, 3, 1),
  operation('tlbi', 'aside1is', 0, 8, 3, 2),
  operation('tlbi', 'vaae1is', 0, 8, 3, 3),
  operation('tlbi', 'vale1is', 0, 8, 3, 5),
  operation('tlbi', 'vaale1is', 0, 8, 3, 7),
  operation('tlbi', 'vmalle1', 0, 8, 7, 0, false),
  operation('tlbi', 'vae1', 0, 8, 7, 1),
  operation('tlbi', 'aside1', 0, 8, 7, 2),
  operation('tlbi', 'vaae1', 0, 8, 7, 3),
  operation('tlbi', 'vale1', 0, 8, 7, 5),
  operation('tlbi', 'vaale1', 0, 8, 7, 7),
  operation('tlbi', 'ipas2e1is', 4, 8, 0, 1),
  operation('tlbi', 'ipas2le1is', 4, 8, 0, 5),
  operation('tlbi', 'alle2is', 4, 8, 3, 0, false),
  operation('tlbi', 'vae2is', 4, 8, 3, 1),
  operation('tlbi', 'alle1is', 4, 8, 3, 4, false),
  operation('tlbi', 'vale2is', 4, 8, 3, 5),
  operation('tlbi', 'vmalls12e1is', 4, 8, 3, 6, false),
  operation('tlbi', 'ipas2e1', 4, 8, 4, 1),
  operation('tlbi', 'ipas2le1', 4, 8, 4, 5),
  operation('tlbi', 'alle2', 4, 8, 7, 0, false),
  operation('tlbi', 'vae2', 4, 8, 7, 1),
  operation('tlbi', 'alle1', 4, 8, 7, 4, false),
  operation('tlbi', 'vale2', 4, 8, 7, 5),
  operation('tlbi', 'vmalls12e1', 4, 8, 7, 6, false),
  operation('tlbi', 'alle3is', 6, 8, 3, 0, false),
  operation('tlbi', 'vae3is', 6, 8, 3, 1),
  operation('tlbi', 'vale3is', 6, 8, 3, 5),
  operation('tlbi', 'alle3', 6, 8, 7, 0, false),
  operation('tlbi', 'vae3', 6, 8, 7, 1),
  operation('tlbi', 'vale3', 6, 8, 7, 5),
]

const key = (op1: number, CRn: number, CRm: number, op2: number) => (op1 << 11) | (CRn << 7) | (CRm << 3) | op2
const byEncoding = new Map(systemOperations.map((o) => [key(o.op1, o.CRn, o.CRm, o.op2), o]))

/** The operation with these fields, if it has a name. */
export function systemOperation(op1: number, CRn: number, CRm: number, op2: number): SystemOperation | undefined {
  return byEncoding.get(key(op1, CRn, CRm, op2))
}
