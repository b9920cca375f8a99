import { type IDBPDatabase, openDB } from 'idb'

/** What of a workspace is kept between visits. */
export interface KeptFile {
  readonly text: string
  readonly original: string | null
  readonly replaced: string | null
  readonly removed: boolean
}

export interface KeptWorkspace {
  readonly id: string
  readonly open: string
  readonly files: Readonly<Record<string, KeptFile>>
}

export interface Keeper {
  /** undefined when nothing is kept, or nothing can be. */
  read(id: string): Promise<KeptWorkspace | undefined>
  /** @returns whether it is safe now */
  write(workspaces: readonly KeptWorkspace[]): Promise<boolean>
  /** At once, for a page that is about to go: read back and cleared by the next page's first `read` and `write`. */
  journal(workspaces: readonly KeptWorkspace[]): void
  /** False once the browser has refused. */
  working(): boolean
}

const DATABASE = 'pkvm-lab-files'
const STORE = 'workspaces'
const JOURNAL = 'pkvm-lab-journal'

/**
 * The browser's database for files, with local storage as the journal of the last moment. Where the browser refuses
 * (storage switched off, private windows, quota), everything is answered with "nothing kept".
 */
export function openKeeper(): Keeper {
  let refused = typeof indexedDB === 'undefined'
  let database: Promise<IDBPDatabase | null> | undefined

  const open = (): Promise<IDBPDatabase | null> => {
    if (refused) return Promise.resolve(null)
    return (database ??= openDB(DATABASE, 1, {
      upgrade(db) {
        db.createObjectStore(STORE, { keyPath: 'id' })
      },
      terminated() {
        database = undefined
      },
    }).catch(() => {
      refused = true
      return null
    }))
  }

  const inJournal = (): KeptWorkspace[] => {
    try {
      return JSON.parse(localStorage.getItem(JOURNAL) ?? '[]') as KeptWorkspace[]
    } catch {
      return []
    }
  }

  return {
    async read(id) {
      const last = inJournal().find(workspace => workspace.id === id)
      if (last !== undefined) return last
      try {
        return ((await (await open())?.get(STORE, id)) as KeptWorkspace | undefined) ?? undefined
      } catch {
        refused = true
        return undefined
      }
    },
    async write(workspaces) {
      try {
        const db = await open()
        if (db === null) return false
        const transaction = db.transaction(STORE, 'readwrite')
        const left = inJournal().filter(entry => !workspaces.some(workspace => workspace.id === entry.id))
        await Promise.all([...left, ...workspaces].map(workspace => transaction.store.put(workspace)))
        await transaction.done
        try {
          localStorage.removeItem(JOURNAL)
        } catch {
          // There was no journal.
        }
        return true
      } catch {
        return false
      }
    },
    journal(workspaces) {
      try {
        localStorage.setItem(
          JOURNAL,
          JSON.stringify([
            ...inJournal().filter(entry => !workspaces.some(({ id }) => id === entry.id)),
            ...workspaces,
          ]),
        )
      } catch {
        // The database's write is under way as well.
      }
    },
    working: () => !refused,
  }
}
