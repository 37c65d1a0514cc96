#include "ui/views/cell_delegate.h"

#include <QPainter>

#include "models/object_table_model.h"
#include "ui/theme/theme.h"

namespace ph::ui {

using models::ObjectTableModel;

void CellDelegate::paint(QPainter* p, const QStyleOptionViewItem& option, const QModelIndex& index) const {
  const QRectF r = option.rect;
  if (option.state & QStyle::State_Selected)
    p->fillRect(r, colors().selection);
  else if (option.state & QStyle::State_MouseOver)
    p->fillRect(r, colors().surface);
  p->fillRect(QRectF(r.left(), r.bottom(), r.width(), 1), mix(colors().background, colors().line, 0.5));
  const QFont& font = typeface(index.data(ObjectTableModel::MonoRole).toBool() ? Text::Mono : Text::Body);
  const QVariant tone = index.data(ObjectTableModel::ToneRole);
  p->setFont(font);
  p->setPen(tone.isValid()        ? Theme::get().textTone(Tone(tone.toInt()))
            : index.column() == 0 ? colors().text
                                  : mix(colors().text, colors().muted, 0.5));
  const bool number = index.data(ObjectTableModel::NumberRole).toBool();
  const QRectF inner = r.adjusted(8, 0, -8, 0);
  p->drawText(inner, (number ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter | Qt::TextSingleLine,
              QFontMetricsF(font).elidedText(index.data().toString(),
                                             index.column() == 0 ? Qt::ElideMiddle : Qt::ElideRight, inner.width()));
}

}  // namespace ph::ui
