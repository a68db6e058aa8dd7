// What a reader may set for their questions; empty fields are left to the service.
import { useId } from "react";
import { LIMITS, NO_SETTINGS, type Settings } from "../ask/settings";
import { useWords } from "../i18n";
import { Modal } from "../ui/Modal";

interface Props {
  settings: Settings;
  onSettings: (settings: Settings) => void;
  onClose: () => void;
}

export function SettingsDrawer({ settings, onSettings, onClose }: Props) {
  const words = useWords();
  return (
    <Modal className="drawer" testId="settings-drawer" title={words.settings} onClose={onClose}>
      <NumberField name="topK" label={words.settingTopK} hint={words.settingTopKHint} settings={settings} onSettings={onSettings} />
      <NumberField name="temperature" label={words.settingTemperature} hint={words.settingTemperatureHint} settings={settings} onSettings={onSettings} />
      <NumberField name="maxTokens" label={words.settingMaxTokens} hint={words.settingMaxTokensHint} settings={settings} onSettings={onSettings} />
      <label className="check">
        <input type="checkbox" data-testid="setting-quotes" checked={settings.quotesOnly} onChange={(event) => onSettings({ ...settings, quotesOnly: event.target.checked })} />
        {words.settingQuotes}
      </label>
      <label className="check">
        <input type="checkbox" data-testid="setting-why" checked={settings.showWhy} onChange={(event) => onSettings({ ...settings, showWhy: event.target.checked })} />
        {words.settingWhy}
      </label>
      <div className="popup-foot">
        <button type="button" className="button" onClick={() => onSettings(NO_SETTINGS)}>
          {words.settingsReset}
        </button>
        <button type="button" className="button button-primary" onClick={onClose}>
          {words.done}
        </button>
      </div>
    </Modal>
  );
}

interface FieldProps {
  name: keyof typeof LIMITS;
  label: string;
  hint: string;
  settings: Settings;
  onSettings: (settings: Settings) => void;
}

function NumberField({ name, label, hint, settings, onSettings }: FieldProps) {
  const words = useWords();
  const id = useId();
  const { min, max, step } = LIMITS[name];
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="number"
        data-testid={`setting-${name}`}
        aria-describedby={`${id}-hint`}
        min={min}
        max={max}
        step={step}
        placeholder={words.asTheService}
        value={settings[name] ?? ""}
        onChange={({ target: { value, valueAsNumber, validity } }) => {
          if (value === "") onSettings({ ...settings, [name]: null });
          else if (validity.valid && Number.isFinite(valueAsNumber)) onSettings({ ...settings, [name]: valueAsNumber });
        }}
      />
      <p id={`${id}-hint`} className="field-hint">
        {hint}
      </p>
    </div>
  );
}
