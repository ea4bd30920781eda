"use client";

import { Search } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";

type RecordFinderProps = { value: string; onFind: (sourceId: string) => void };

export function RecordFinder({ value, onFind }: RecordFinderProps) {
  const [text, setText] = useState(value);
  return (
    <form
      className="flex flex-wrap items-end gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        onFind(text.trim());
      }}
    >
      <div className="w-full max-w-sm">
        <Field id="source-id" label="Vendor's id">
          {(control) => (
            <Input
              {...control}
              maxLength={500}
              placeholder="The whole id, such as ch_…"
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          )}
        </Field>
      </div>
      <Button type="submit">
        <Search aria-hidden />
        Find
      </Button>
      {value && <Button onClick={() => onFind("")}>Show all</Button>}
    </form>
  );
}
