import type { ListingRow } from '../../engine/worker/build-protocol.ts'
import { runCommand } from '../commands.ts'
import { count } from '../format.ts'
import { SYSTEM } from './system-commands.ts'
import { useSystem } from './system-store.ts'

/** What an option does to the machine code: the listing without it against the listing with it. */
export function ListingDiff({ option }: { option: string }) {
  const diff = useSystem(state => state.diff)
  return (
    <section
      className="listing-diff"
      aria-label={`What ${option} does to the code`}
      data-testid="listing-diff"
      aria-busy={diff === null}
    >
      <p className="listing-diff-head">
        <b className="mono">CONFIG_{option}</b> from n to y
        <button type="button" className="link" onClick={() => runCommand(SYSTEM.stopComparing)}>
          Back to the options
        </button>
      </p>
      {diff === null ? (
        <p className="quiet">Building both.</p>
      ) : !diff.ok ? (
        <p className="note">
          One of the two does not assemble: {diff.diagnostics[0]?.file}, line {diff.diagnostics[0]?.line}:{' '}
          {diff.diagnostics[0]?.message}.
        </p>
      ) : diff.hunks.length === 0 ? (
        <p className="note">Nothing: no instruction depends on it.</p>
      ) : (
        <>
          <p className="quiet">
            {words(diff.added, 'line')} more, {words(diff.removed, 'line')} less.
            {diff.moved > 0 &&
              ` ${count(diff.moved)} others are the same code with other offsets, since addresses moved.`}
          </p>
          {diff.hunks.map(rows => (
            <Hunk key={`${rows[0]?.file}:${rows[0]?.line}:${rows[0]?.address}`} rows={rows} />
          ))}
        </>
      )}
    </section>
  )
}

function words(n: number, what: string): string {
  return n === 1 ? `one ${what}` : `${count(n)} ${what}s`
}

const SIGNS = { same: ' ', added: '+', removed: '−' } as const
const SPOKEN = { same: '', added: 'added: ', removed: 'removed: ' } as const

function Hunk({ rows }: { rows: readonly ListingRow[] }) {
  const changed = rows.find(row => row.change !== 'same') ?? rows[0]
  return (
    <figure className="hunk">
      <figcaption className="mono">
        {changed?.file}, line {changed?.line}
      </figcaption>
      <table className="mono">
        <tbody>
          {rows.map(row => (
            <tr key={`${row.change}${row.address}${row.text}`} data-change={row.change}>
              <td aria-hidden="true">{SIGNS[row.change]}</td>
              <td>{row.address}</td>
              <td>{row.bytes}</td>
              <td>
                <span className="unseen">{SPOKEN[row.change]}</span>
                {row.text}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  )
}
