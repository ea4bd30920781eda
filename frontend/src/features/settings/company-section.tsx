"use client";

import { useQuery } from "@tanstack/react-query";
import { Card } from "@/components/ui/card";
import { ErrorState } from "@/components/ui/error-state";
import { TableSkeleton } from "@/components/ui/table-skeleton";
import { useMay } from "@/features/shell/use-may";
import { CompanyFacts } from "./company-facts";
import { CompanyForm } from "./company-form";
import { tenantQueries } from "./queries";

export function CompanySection() {
  const mayManage = useMay("tenant.manage");
  const tenant = useQuery(tenantQueries.tenant());
  return (
    <section aria-labelledby="company" className="grid gap-3">
      <h2 id="company" className="font-medium">
        Company
      </h2>
      {/* As high as the form: what is below stays where it is. */}
      {tenant.isPending && <TableSkeleton rows={12} />}
      {tenant.isError && !tenant.data && <ErrorState error={tenant.error} onRetry={() => tenant.refetch()} />}
      {tenant.data && (
        <Card className="grid max-w-2xl gap-5 p-4">
          {mayManage && <CompanyForm tenant={tenant.data} />}
          <CompanyFacts tenant={tenant.data} withEditable={!mayManage} />
        </Card>
      )}
    </section>
  );
}
