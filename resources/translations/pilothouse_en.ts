<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
<context>
    <name>Words</name>
    <message numerus="yes">
        <source>none of %n machine(s) fits: %1</source>
        <translation>
            <numerusform>the one machine does not fit: %1</numerusform>
            <numerusform>none of %n machines fits: %1</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>, tried %n time(s)</source>
        <translation>
            <numerusform>, tried %n time</numerusform>
            <numerusform>, tried %n times</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n failing</source>
        <translation>
            <numerusform>%n failing</numerusform>
            <numerusform>%n failing</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n on the move</source>
        <translation>
            <numerusform>%n on the move</numerusform>
            <numerusform>%n on the move</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::models::EventsModel</name>
    <message numerus="yes">
        <source>%1 (%n times)</source>
        <translation>
            <numerusform>%1 (once)</numerusform>
            <numerusform>%1 (%n times)</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::models::MapModel</name>
    <message numerus="yes">
        <source>and %n more</source>
        <translation>
            <numerusform>and %n more</numerusform>
            <numerusform>and %n more</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n pod(s)</source>
        <translation>
            <numerusform>%n pod</numerusform>
            <numerusform>%n pods</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n pod(s) without a place; select one to see why</source>
        <translation>
            <numerusform>%n pod without a place; select it to see why</numerusform>
            <numerusform>%n pods without a place; select one to see why</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::models::NowModel</name>
    <message numerus="yes">
        <source>Its %n pod(s) start elsewhere if it stays away.</source>
        <translation>
            <numerusform>Its pod starts elsewhere if it stays away.</numerusform>
            <numerusform>Its %n pods start elsewhere if it stays away.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Its %n pod(s) start elsewhere: %1.</source>
        <translation>
            <numerusform>Its pod starts elsewhere: %1.</numerusform>
            <numerusform>Its %n pods start elsewhere: %1.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1: from %2 to %n copies</source>
        <translation>
            <numerusform>%1: from %2 to %n copy</numerusform>
            <numerusform>%1: from %2 to %n copies</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1: %n pod(s) wait: %2.</source>
        <translation>
            <numerusform>%1: %n pod waits: %2.</numerusform>
            <numerusform>%1: %n pods wait: %2.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1: %2 (%n times)</source>
        <translation>
            <numerusform>%1: %2 (once)</numerusform>
            <numerusform>%1: %2 (%n times)</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::models::PaletteModel</name>
    <message numerus="yes">
        <source>machine, %n pod(s)</source>
        <translation>
            <numerusform>machine, %n pod</numerusform>
            <numerusform>machine, %n pods</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::models::ScalePreview</name>
    <message numerus="yes">
        <source>Release to scale. The ghosts show where the scheduler would put the %n.</source>
        <translation>
            <numerusform>Release to scale. The ghosts show where the scheduler would put the %n.</numerusform>
            <numerusform>Release to scale. The ghosts show where the scheduler would put the %n.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Release to scale. The %n faded pod(s) would most likely stop.</source>
        <translation>
            <numerusform>Release to scale. The faded pod would most likely stop.</numerusform>
            <numerusform>Release to scale. The %n faded pods would most likely stop.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Release to scale. The ghosts show where the %n would most likely go.</source>
        <translation>
            <numerusform>Release to scale. The ghost shows where it would most likely go.</numerusform>
            <numerusform>Release to scale. The ghosts show where the %n would most likely go.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::AskDialog</name>
    <message numerus="yes">
        <source>Delete %n object(s)?</source>
        <translation>
            <numerusform>Delete %n object?</numerusform>
            <numerusform>Delete %n objects?</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Its %n pod(s) stop here and start on other machines where there is room.</source>
        <translation>
            <numerusform>Its pod stops here and starts on another machine where there is room.</numerusform>
            <numerusform>Its %n pods stop here and start on other machines where there is room.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Its %n pod(s) stop, everywhere. This can&apos;t be undone; the image stays.</source>
        <translation>
            <numerusform>Its pod stops. This can&apos;t be undone; the image stays.</numerusform>
            <numerusform>Its %n pods stop, everywhere. This can&apos;t be undone; the image stays.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Goes on: the %n pod(s) keep running on their machines, restart there when they fail, and their services answer.</source>
        <translation>
            <numerusform>Goes on: the pod keeps running on its machine, restarts there when it fails, and its service answers.</numerusform>
            <numerusform>Goes on: the %n pods keep running on their machines, restart there when they fail, and their services answer.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::Form</name>
    <message numerus="yes">
        <source>%n field(s) need a look.</source>
        <translation>
            <numerusform>One field needs a look.</numerusform>
            <numerusform>%n fields need a look.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::LogPage</name>
    <message numerus="yes">
        <source>All %n containers</source>
        <translation>
            <numerusform>The one container</numerusform>
            <numerusform>All %n containers</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>All %n pods</source>
        <translation>
            <numerusform>The one pod</numerusform>
            <numerusform>All %n pods</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>All %n selected pods</source>
        <translation>
            <numerusform>The selected pod</numerusform>
            <numerusform>All %n selected pods</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n line(s)</source>
        <translation>
            <numerusform>%n line</numerusform>
            <numerusform>%n lines</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source> · %n log(s)</source>
        <translation>
            <numerusform> · %n log</numerusform>
            <numerusform> · %n logs</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Live · %n line(s)</source>
        <translation>
            <numerusform>Live · %n line</numerusform>
            <numerusform>Live · %n lines</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Ended · %n line(s)</source>
        <translation>
            <numerusform>Ended · %n line</numerusform>
            <numerusform>Ended · %n lines</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n match(es)</source>
        <translation>
            <numerusform>%n match</numerusform>
            <numerusform>%n matches</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::MachineOverview</name>
    <message numerus="yes">
        <source>Tried %n time(s), next in %1.</source>
        <translation>
            <numerusform>Tried %n time, next in %1.</numerusform>
            <numerusform>Tried %n times, next in %1.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::MapView</name>
    <message numerus="yes">
        <source>%n pod(s)</source>
        <translation>
            <numerusform>%n pod</numerusform>
            <numerusform>%n pods</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::TileMotion</name>
    <message numerus="yes">
        <source>−%n pod(s)</source>
        <translation>
            <numerusform>−%n pod</numerusform>
            <numerusform>−%n pods</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>+%n pod(s)</source>
        <translation>
            <numerusform>+%n pod</numerusform>
            <numerusform>+%n pods</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::RowList</name>
    <message numerus="yes">
        <source>and %n more</source>
        <translation>
            <numerusform>and %n more</numerusform>
            <numerusform>and %n more</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::models::DecisionModel</name>
    <message numerus="yes">
        <source>It is on %1, the best of the %2 that would take it (of %n machine(s)).</source>
        <translation>
            <numerusform>It is on %1.</numerusform>
            <numerusform>It is on %1, the best of the %2 that would take it (of %n machines).</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>It is on %1, the only one of %n machine(s) that would take it.</source>
        <translation>
            <numerusform>It is on %1, the only machine there is.</numerusform>
            <numerusform>It is on %1, the only one of %n machines that would take it.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1 of %n machine(s) would take it now; it is about to get one.</source>
        <translation>
            <numerusform>The one machine would take it now; it is about to get it.</numerusform>
            <numerusform>%1 of %n machines would take it now; it is about to get one.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>It waits: none of %n machine(s) would take it (%1).</source>
        <translation>
            <numerusform>It waits: the one machine would not take it (%1).</numerusform>
            <numerusform>It waits: none of %n machines would take it (%1).</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::DecisionPage</name>
    <message numerus="yes">
        <source>and %n machine(s) that are not listed</source>
        <translation>
            <numerusform>and one machine that is not listed</numerusform>
            <numerusform>and %n machines that are not listed</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::FleetPage</name>
    <message numerus="yes">
        <source>%n pod(s)</source>
        <translation>
            <numerusform>%n pod</numerusform>
            <numerusform>%n pods</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n machine(s)</source>
        <translation>
            <numerusform>%n machine</numerusform>
            <numerusform>%n machines</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::models::Actions</name>
    <message numerus="yes">
        <source>Change %n image(s) of %1</source>
        <translation>
            <numerusform>Change %n image of %1</numerusform>
            <numerusform>Change %n images of %1</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete %n object(s)</source>
        <translation>
            <numerusform>Delete %n object</numerusform>
            <numerusform>Delete %n objects</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n of them failed. The first: %1</source>
        <translation>
            <numerusform>%n of them failed. The first: %1</numerusform>
            <numerusform>%n of them failed. The first: %1</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::models::ApplyModel</name>
    <message numerus="yes">
        <source>Apply %n object(s)</source>
        <translation>
            <numerusform>Apply %n object</numerusform>
            <numerusform>Apply %n objects</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n of them failed.</source>
        <translation>
            <numerusform>%n of them failed.</numerusform>
            <numerusform>%n of them failed.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n new</source>
        <translation>
            <numerusform>%n new</numerusform>
            <numerusform>%n new</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n new, checked as they are made</source>
        <translation>
            <numerusform>%n new, checked as it is made</numerusform>
            <numerusform>%n new, checked as they are made</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n to change</source>
        <translation>
            <numerusform>%n to change</numerusform>
            <numerusform>%n to change</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n changed</source>
        <translation>
            <numerusform>%n changed</numerusform>
            <numerusform>%n changed</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n as they are</source>
        <translation>
            <numerusform>%n as it is</numerusform>
            <numerusform>%n as they are</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n image archive(s)</source>
        <translation>
            <numerusform>%n image archive</numerusform>
            <numerusform>%n image archives</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n wrong</source>
        <translation>
            <numerusform>%n wrong</numerusform>
            <numerusform>%n wrong</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n made</source>
        <translation>
            <numerusform>%n made</numerusform>
            <numerusform>%n made</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n as they were</source>
        <translation>
            <numerusform>%n as it was</numerusform>
            <numerusform>%n as they were</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n image archive(s) loaded</source>
        <translation>
            <numerusform>%n image archive loaded</numerusform>
            <numerusform>%n image archives loaded</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n failed</source>
        <translation>
            <numerusform>%n failed</numerusform>
            <numerusform>%n failed</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n left out</source>
        <translation>
            <numerusform>%n left out</numerusform>
            <numerusform>%n left out</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::models::DrainModel</name>
    <message numerus="yes">
        <source>in turns: the budget %1 lets %n go at a time</source>
        <translation>
            <numerusform>one by one: the budget %1 lets %n go at a time</numerusform>
            <numerusform>in turns: the budget %1 lets %n go at a time</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n find(s) a place elsewhere</source>
        <translation>
            <numerusform>%n finds a place elsewhere</numerusform>
            <numerusform>%n find a place elsewhere</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n would be made again somewhere</source>
        <translation>
            <numerusform>%n would be made again somewhere</numerusform>
            <numerusform>%n would be made again somewhere</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n fit(s) nowhere now and would wait</source>
        <translation>
            <numerusform>%n fits nowhere now and would wait</numerusform>
            <numerusform>%n fit nowhere now and would wait</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n held back by a disruption budget</source>
        <translation>
            <numerusform>%n held back by a disruption budget</numerusform>
            <numerusform>%n held back by a disruption budget</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n would be lost: nothing makes another</source>
        <translation>
            <numerusform>%n would be lost: nothing makes another</numerusform>
            <numerusform>%n would be lost: nothing makes another</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n finished already</source>
        <translation>
            <numerusform>%n finished already</numerusform>
            <numerusform>%n finished already</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n pod(s) could not be moved.</source>
        <translation>
            <numerusform>%n pod could not be moved.</numerusform>
            <numerusform>%n pods could not be moved.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>asked %n time(s), again in %1</source>
        <translation>
            <numerusform>asked %n time, again in %1</numerusform>
            <numerusform>asked %n times, again in %1</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Import</name>
    <message numerus="yes">
        <source>one name can't be that of %n machines</source>
        <translation>
            <numerusform>one name can't be that of %n machine</numerusform>
            <numerusform>one name can't be that of %n machines</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Manifests</name>
    <message numerus="yes">
        <source>%n folder(s) inside %1 are left out.</source>
        <translation>
            <numerusform>%n folder inside %1 is left out.</numerusform>
            <numerusform>%n folders inside %1 are left out.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Rollouts</name>
    <message numerus="yes">
        <source>All %n run the newest version.</source>
        <translation>
            <numerusform>The one runs the newest version.</numerusform>
            <numerusform>All %n run the newest version.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>All new ones are there; %n old one(s) are on the way out.</source>
        <translation>
            <numerusform>All new ones are there; %n old one is on the way out.</numerusform>
            <numerusform>All new ones are there; %n old ones are on the way out.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::AddMachineDialog</name>
    <message numerus="yes">
        <source>Add %n machine(s)</source>
        <translation>
            <numerusform>Add %n machine</numerusform>
            <numerusform>Add %n machines</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::ApplyDialog</name>
    <message numerus="yes">
        <source>Apply the other %n</source>
        <translation>
            <numerusform>Apply the other %n</numerusform>
            <numerusform>Apply the other %n</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::DrainDialog</name>
    <message numerus="yes">
        <source>Drained: all %n pod(s) are gone. No new pods come here until it takes them again.</source>
        <translation>
            <numerusform>Drained: its %n pod is gone. No new pods come here until it takes them again.</numerusform>
            <numerusform>Drained: all %n pods are gone. No new pods come here until it takes them again.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Also stop the %n pod(s) that nothing makes again</source>
        <translation>
            <numerusform>Also stop the pod that nothing makes again</numerusform>
            <numerusform>Also stop the %n pods that nothing makes again</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::MachineImportPage</name>
    <message numerus="yes">
        <source>and %n more</source>
        <translation>
            <numerusform>and %n more</numerusform>
            <numerusform>and %n more</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::ObjectDialog</name>
    <message numerus="yes">
        <source>No text: %n byte(s). It stays as it is.</source>
        <translation>
            <numerusform>No text: %n byte. It stays as it is.</numerusform>
            <numerusform>No text: %n bytes. It stays as it is.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::RevisionsDialog</name>
    <message numerus="yes">
        <source>%1, %n pod(s)</source>
        <translation>
            <numerusform>%1, %n pod</numerusform>
            <numerusform>%1, %n pods</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::ObjectOverview</name>
    <message numerus="yes">
        <source>%n byte(s)</source>
        <translation>
            <numerusform>%n byte</numerusform>
            <numerusform>%n bytes</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::LogRoom</name>
    <message numerus="yes">
        <source>Logs of %n pod(s)</source>
        <translation>
            <numerusform>Logs of %n pod</numerusform>
            <numerusform>Logs of %n pods</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::LogView</name>
    <message numerus="yes">
        <source>%n new line(s) ↓</source>
        <translation>
            <numerusform>%n new line ↓</numerusform>
            <numerusform>%n new lines ↓</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::DropHint</name>
    <message numerus="yes">
        <source>Drop to apply %n file(s)</source>
        <translation>
            <numerusform>Drop to apply %n file</numerusform>
            <numerusform>Drop to apply %n files</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::DiffView</name>
    <message numerus="yes">
        <source>%n line(s) as before</source>
        <translation>
            <numerusform>%n line as before</numerusform>
            <numerusform>%n lines as before</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::ResourcePage</name>
    <message numerus="yes">
        <source>%n selected</source>
        <translation>
            <numerusform>%n selected</numerusform>
            <numerusform>%n selected</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::models::AppMapModel</name>
    <message numerus="yes">
        <source>%n failing</source>
        <translation>
            <numerusform>%n failing</numerusform>
            <numerusform>%n failing</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n pod(s) at work</source>
        <translation>
            <numerusform>%n pod at work</numerusform>
            <numerusform>%n pods at work</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>and %n more</source>
        <translation>
            <numerusform>and %n more</numerusform>
            <numerusform>and %n more</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::AppMapPage</name>
    <message numerus="yes">
        <source>%1 of %n application(s) fit</source>
        <translation>
            <numerusform>%1 of %n application fit</numerusform>
            <numerusform>%1 of %n applications fit</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n application(s)</source>
        <translation>
            <numerusform>%n application</numerusform>
            <numerusform>%n applications</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ph::ui::AppMapView</name>
    <message numerus="yes">
        <source>also part of %n other application(s)</source>
        <translation>
            <numerusform>also part of %n other application</numerusform>
            <numerusform>also part of %n other applications</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n older version(s) to go back to</source>
        <translation>
            <numerusform>%n older version to go back to</numerusform>
            <numerusform>%n older versions to go back to</numerusform>
        </translation>
    </message>
</context>
</TS>
