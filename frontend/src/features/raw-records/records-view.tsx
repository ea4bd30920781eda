"use client";

import { parseAsString, useQueryStates } from "nuqs";
import { BackLink } from "@/components/ui/back-link";
import { PageHeader } from "@/components/ui/page-header";
import { humanize } from "@/lib/format/words";
import type { StreamAt } from "./queries";
import { RecordDrawer } from "./record-drawer";
import { RecordFinder } from "./record-finder";
import { RecordResults } from "./record-results";

const PARSERS = { q: parseAsString.withDefault(""), record: parseAsString };

/** What the vendor sent for a stream, record by record: also of streams that no table is made from. */
export function RecordsView({ where }: { where: StreamAt }) {
  // In the address, so that one person can send another a record.
  const [{ q, record }, setState] = useQueryStates(PARSERS);
  return (
    <div className="grid gap-5">
      <PageHeader
        title={`${humanize(where.stream)}: vendor records`}
        description="The newest version of each record as the vendor sent it, the latest change first."
        before={<BackLink href={`/connections/view?id=${where.connectionId}`}>Connection</BackLink>}
      />
      <RecordFinder key={q} value={q} onFind={(found) => setState({ q: found || null })} />
      <RecordResults where={where} sourceId={q} onOpen={(id) => setState({ record: id })} />
      {record && <RecordDrawer where={where} id={record} onClose={() => setState({ record: null })} />}
    </div>
  );
}
