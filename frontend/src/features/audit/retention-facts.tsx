"use client";

import { useQuery } from "@tanstack/react-query";
import { Definition, DefinitionList } from "@/components/ui/definition";
import { Moment } from "@/components/ui/moment";
import { Skeleton } from "@/components/ui/skeleton";
import { toApiError } from "@/lib/api/problem";
import { formatCount } from "@/lib/format/number";
import { plural } from "@/lib/format/words";
import { ArchiveList } from "./archive-list";
import { auditQueries } from "./queries";

export function RetentionFacts() {
  const { data, isPending, isError, error } = useQuery(auditQueries.retention());
  return (
    <section aria-labelledby="audit-retention" className="grid gap-2">
      <h3 id="audit-retention" className="font-medium">
        Retention
      </h3>
      {isPending && (
        <div role="status" aria-label="Loading the retention">
          <Skeleton className="h-12" />
        </div>
      )}
      {isError && !data && <p className="text-danger">{toApiError(error).message}</p>}
      {data && (
        <>
          <DefinitionList>
            <Definition term="Kept here">
              {data.retention_days === null
                ? "For ever"
                : `${formatCount(data.retention_days)} ${plural(data.retention_days, "day")}, then archived by month`}
            </Definition>
            <Definition term="Oldest event">
              <Moment at={data.oldest_event_at} />
            </Definition>
            <Definition term="Archived">
              {data.archives.length === 0
                ? "Nothing yet"
                : `${formatCount(data.archives.length)} ${plural(data.archives.length, "month")}`}
            </Definition>
          </DefinitionList>
          <ArchiveList archives={data.archives} />
        </>
      )}
    </section>
  );
}
